# tinynn.h needs no building. This builds what stands around it: the experiments, their figures and
# report, the tests and the benchmark. `make help` lists the targets.

CFLAGS  ?= -O2
PREFIX  ?= /usr/local
SEEDS   ?= 1
FORMAT  ?= png
LDLIBS   = -lm -pthread
# Folders may have any name: the shell reads them in its environment, never in its text.
override PREFIX  := $(value PREFIX)
override DESTDIR := $(value DESTDIR)
export PREFIX DESTDIR CC
ifneq ($(value TINYNN_DATA),)
override TINYNN_DATA := $(value TINYNN_DATA)
export TINYNN_DATA
endif
COMPILE  = $(CC) -std=c99 -DTINYNN_SCALAR $(CPPFLAGS) -I. $(CFLAGS) -o $@

EXPERIMENTS = $(filter-out report hello_%,$(patsubst experiments/%.c,%,$(wildcard experiments/*.c)))
TESTS       = $(patsubst tests/%.c,build/%,$(wildcard tests/test_*.c tests/mistakes.c))

all: $(EXPERIMENTS:%=build/%) build/report

help:
	@echo 'make             builds the experiments into build/'
	@echo 'make quick       a short run of each experiment and its figures, to build/quick/ (seconds)'
	@echo 'make plots       the experiments, and their figures to build/plots/; FORMAT=pdf or svg;'
	@echo '                 SEEDS=5: five runs of each, drawn as means and ranges'
	@echo 'make report      build/report.md: what the reports claim, and whether it holds with ours,'
	@echo '                 with the figures if gnuplot is there; SEEDS=5 as above'
	@echo 'make data        downloads the real data to data/, 100 MB (without it the images are'
	@echo '                 synthetic; TINYNN_DATA in the environment names another place); one set:'
	@echo '                 make data-fashion-mnist, data-kuzushiji, data-icons, data-flags'
	@echo 'make data-vgg16  the weights of VGG-16, 553 MB, which make data leaves out'
	@echo 'make test        the tests, some minutes; make test-all: also other processors,'
	@echo '                 sanitizers and every compiler found'
	@echo 'make bench       a table of speeds on this machine, build/bench.tsv, and figures of it'
	@echo 'make man         the manual: build/tinynn.3 (man -l build/tinynn.3), build/tinynn.html'
	@echo 'make bindings    for Python (tests/tinynn.py) and others: build/libtinynn.so, and the API'
	@echo '                 as build/tinynn_api.json; needs python3'
	@echo 'make install     tinynn.h, tinynn.pc and tinynn.3 to $$DESTDIR$$PREFIX, PREFIX=/usr/local'
	@echo 'make clean       removes what can be built again soon; make distclean: also results,'
	@echo '                 their figures and report, which is all of build/'
	@echo 'CC, CFLAGS, CPPFLAGS and LDFLAGS are heeded. An interrupted make goes on where it stopped.'

# ---- programs ------------------------------------------------------------------------------------
# Each program is one file that compiles by itself, with the library in it: 12 seconds for gcc at
# -O2, 8 at -O1. All have the scalar kernels, with which the others are compared. The programs share
# the library compiled once, those with hooked.h the one with hooks. Tests with inside.h look into
# it and cannot; these are built at -O1.

build/tinynn.o build/hooked.o: CFLAGS := $(CFLAGS)
build/tinynn.o: tinynn.h
	@mkdir -p build
	$(COMPILE) -DTINYNN_IMPLEMENTATION -x c -c tinynn.h
build/hooked.o: tests/hooked.h tinynn.h
	@mkdir -p build
	$(COMPILE) -x c -c tests/hooked.h

LINKED = $(EXPERIMENTS:%=build/%) \
         $(patsubst tests/%.c,build/%,$(shell \
             grep -L -e '"inside\.h"' -e '"hooked\.h"' tests/test_*.c tests/mistakes.c))
$(LINKED): build/tinynn.o
$(patsubst tests/%.c,build/%,$(shell grep -l '"hooked\.h"' tests/test_*.c)): build/hooked.o
# Below -O2 gcc leaves out what TEST_UPPER_HALVES looks for.
HALVES := $(if $(filter -O2 -O3,$(CFLAGS)),-DTEST_UPPER_HALVES)
PROGRAM = $(COMPILE) $(if $(filter %.o,$^),-DTINYNN_ELSEWHERE $(HALVES)) -Iexperiments -Itests \
          $(filter %.c %.o,$^) $(LDFLAGS) $(LDLIBS)

$(EXPERIMENTS:%=build/%) build/report: build/%: experiments/%.c $(wildcard experiments/*.h) tinynn.h
	@mkdir -p build
	$(PROGRAM)

$(TESTS): CFLAGS := $(if $(filter file,$(origin CFLAGS)),-O1,$(CFLAGS))
$(TESTS) build/bench: build/%: tests/%.c $(wildcard tests/*.h experiments/*.h) tinynn.h
	@mkdir -p build
	$(PROGRAM)

# ---- experiments: OUT/NAME.done says that all runs in OUT/NAME/ are complete ---------------------
# OUT is build/results (seed 1), build/results/seedN, or build/quick. The programs know which results
# are of what: those that are complete are skipped, an interrupted one goes on where it was, and with
# --aside those of other data make room and come back with them. So they are run when they are
# newer than OUT/NAME.done, or when what OUT/NAME.key lists, their data, is not what it was.

.SECONDEXPANSION:
.PRECIOUS: %.key build/quick/%.done build/results/%.done

%.key: FORCE
	@mkdir -p $(@D)
	@(cd -- "$${TINYNN_DATA:-data}" && pwd && ls -lL $(set)) > $@.new 2>&1 || echo none > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

set  = $(or $(set-$(notdir $*)),$(firstword $(subst _, ,$(notdir $*))))
set-fashion_cnn = fashion-mnist
set-fashion_mlp = fashion-mnist
set-optimizer_race = fashion-mnist
set-flags_cnn = flags $$(ls -d vgg16 2> /dev/null)
seed = $(patsubst seed%,%,$(filter seed%,$(notdir $(@D))))

build/quick/%.done: build/$$(notdir $$*) build/quick/%.key
	build/$(notdir $*) --quick $(seed:%=--seed %) --aside --out $(@D)
	@touch $@

build/results/%.done: build/$$(notdir $$*) build/results/%.key
	build/$(notdir $*) $(seed:%=--seed %) --aside --out $(@D)
	@touch $@

NUMBERS := $(shell i=0; while [ $$i -lt 999 ]; do echo $$((i += 1)); done)
outs = $1 $(patsubst %,$1/seed%,$(wordlist 2,$(SEEDS),$(NUMBERS)))
OUTS = $(call outs,build/results)

# Figures: build/plots/NAME.FORMAT.done says that those of an experiment are drawn in that format,
# of so many seeds as build/plots/seeds says.
name = $(basename $*)
needs = $(foreach out,$(call outs,$1),$(out)/$(name).done) $(wildcard plots/$(name)*) \
        plots/style.gp plots/seeds.awk $2/seeds
draw = gnuplot -e "out='$1'; dir='$(@D)'; format='$(patsubst .%,%,$(suffix $*))'; seeds=$(SEEDS)" \
       plots/$(name).gp

build/plots/%.done: $$(call needs,build/results,build/plots)
	@$(call draw,build/results)
	@touch $@

build/quick/plots/%.done: $$(call needs,build/quick,build/quick/plots)
	@$(call draw,build/quick)
	@touch $@

build/plots/seeds build/quick/plots/seeds: FORCE
	@mkdir -p $(@D)
	@echo $(SEEDS) | cmp -s - $@ || echo $(SEEDS) > $@

drawn = @echo "$$(ls $1/*.$(FORMAT) | grep -c .) figures in $1/, as .$(FORMAT)"
plots: gnuplot $(EXPERIMENTS:%=build/plots/%.$(FORMAT).done)
	$(call drawn,build/plots)
quick: gnuplot $(EXPERIMENTS:%=build/quick/plots/%.$(FORMAT).done)
	$(call drawn,build/quick/plots)
gnuplot:
	@case ' png pdf svg ' in *' $(FORMAT) '*) ;; \
	    *) echo 'FORMAT is $(FORMAT): it must be png, pdf or svg' >&2; exit 1 ;; esac
	@case '$(words $(wordlist 1,$(SEEDS),$(NUMBERS)))' in '$(SEEDS)') ;; \
	    *) echo 'SEEDS is $(SEEDS): it must be 1 to 999' >&2; exit 1 ;; esac
	@command -v gnuplot > /dev/null || \
	    { echo 'The figures need gnuplot, for instance: apt-get install gnuplot-nox' >&2; exit 1; }

REPORTS = fashion_cnn fashion_mlp flags_cnn kuzushiji_mlp icons_cnn
drawable := $(shell command -v gnuplot)
report: build/report $(foreach out,$(OUTS),$(REPORTS:%=$(out)/%.done)) \
        $(if $(drawable),$(REPORTS:%=build/plots/%.png.done))
	build/report --figures build/plots $(OUTS) > build/report.md.new
	@mv build/report.md.new build/report.md
	@echo 'the report is build/report.md'

# ---- tests ---------------------------------------------------------------------------------------

test:
	@$(MAKE) --no-print-directory -j2 all $(TESTS)
	@sh tests/run.sh $(TESTS) tests/compile.sh tests/data.sh \
	    tests/same_bits.sh tests/resume.sh tests/names.sh tests/export.sh tests/hello.sh \
	    tests/packages.sh tests/figures.sh

test-all:
	@$(MAKE) --no-print-directory -j2 all $(TESTS)
	@sh tests/run.sh $(TESTS) 'tests/compile.sh all' 'tests/data.sh all' \
	    'tests/same_bits.sh all' 'tests/resume.sh all' 'tests/names.sh all' 'tests/export.sh all' \
	    'tests/hello.sh all' 'tests/packages.sh all' 'tests/figures.sh all' \
	    'env TINYNN_SAVING=2 build/test_saving' \
	    tests/bindings.sh tests/vgg16.sh tests/fuzz.sh tests/platforms.sh tests/coverage.sh

bench: build/bench
	build/bench --tsv build/bench.tsv.new
	@mv build/bench.tsv.new build/bench.tsv
	@! command -v gnuplot > /dev/null || { mkdir -p build/plots && \
	    gnuplot -e "out='build'; dir='build/plots'; format='$(FORMAT)'" plots/bench.gp; }

# ---- data: experiments/data.sh tells from where --------------------------------------------------

SETS = fashion-mnist kuzushiji icons flags

data: ; @sh experiments/data.sh data $(SETS)

ONE_SET = $(SETS:%=data-%) data-vgg16
$(ONE_SET): data-%: ; @sh experiments/data.sh data $*

# ---- the manual, of the header's comments --------------------------------------------------------

man: build/tinynn.3 build/tinynn.html
build/tinynn.3 build/tinynn.html: tinynn.h tests/manual.awk
	@mkdir -p build
	awk -v form=$(if $(filter %.3,$@),man,html) -f tests/manual.awk tinynn.h > $@.new
	@mv $@.new $@

# ---- other languages: tests/tinynn.py reads the header -------------------------------------------

bindings: build/libtinynn.so build/tinynn_api.json
build/libtinynn.so: tinynn.h
	@mkdir -p build
	$(CC) -std=c99 $(CPPFLAGS) $(CFLAGS) -fPIC -shared -fvisibility=hidden -DTINYNN_DLL \
	    -DTINYNN_IMPLEMENTATION -x c tinynn.h -o $@ $(LDFLAGS) $(LDLIBS)
build/tinynn_api.json: tests/tinynn.py tinynn.h
	@mkdir -p build
	python3 tests/tinynn.py > $@.new
	@mv $@.new $@

# ---- the rest ------------------------------------------------------------------------------------

version = $(shell awk '/^.define TNN_VERSION_(MAJOR|MINOR|PATCH) / { v = v dot $$3; dot = "." } \
                       END { print v }' tinynn.h)

install:
	mkdir -p "$$DESTDIR$$PREFIX/include" "$$DESTDIR$$PREFIX/lib/pkgconfig" \
	    "$$DESTDIR$$PREFIX/share/man/man3"
	install -m 644 tinynn.h "$$DESTDIR$$PREFIX/include/tinynn.h"
	awk -v form=man -f tests/manual.awk tinynn.h > "$$DESTDIR$$PREFIX/share/man/man3/tinynn.3"
	{ printf 'prefix=%s\n' "$$PREFIX" | sed 's/[^[:alnum:]_./=$$-]/\\&/g'; \
	printf '%s\n' 'includedir=$${prefix}/include' '' 'Name: tinynn' \
	    'Description: neural networks for C in one header' 'Version: $(version)' \
	    'Cflags: -I$${includedir}' 'Libs: -lm -pthread'; } \
	    > "$$DESTDIR$$PREFIX/lib/pkgconfig/tinynn.pc"

KEPT = build/results build/plots build/report.md build/bench.tsv
clean:
	@for file in build/*; do case ' $(KEPT) ' in *" $$file "*) ;; *) rm -rf "$$file" ;; esac; done
	@rmdir build 2> /dev/null || :

distclean:
	rm -rf build

.PHONY: all help plots quick gnuplot report test test-all bench data $(ONE_SET) bindings man \
        install clean distclean FORCE
