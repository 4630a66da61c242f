/* test_saving.c - what writes files: every failure of the system in every writer leaves the old
   file and says why; several writers of one path, links, devices, pipes, modes; journals whose
   processes are killed, on a disk that is full at times

   The failures are made in this program's own open, read, write, fsync, close, rename and flock,
   which the library then calls: on Linux only. TINYNN_SAVING=SECONDS: so long for several writers,
   and fifty times as many kills, also on a real disk that is full if one can be mounted. */
#define _GNU_SOURCE
#include "test.h"

#ifndef __linux__
int main(int argc, char **argv)
{
    test_start(argc, argv);
    printf("skip  test_saving: only on Linux\n0 passed, 0 failed\n");
    return 0;
}
#else
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>
#include "files.h"


/* ---- the system's calls ----------------------------------------------------------------------*/

enum { OPEN, WRITE, FSYNC, CLOSE, RENAME, OPEN_FOLDER, FSYNC_FOLDER, CALLS, READ = CALLS, LOCK,
       ALL_CALLS };
static const char *const CALL[ALL_CALLS] = { "open", "write", "fsync", "close", "rename",
                                             "open of the folder", "fsync of the folder", "read",
                                             "flock" };
static struct {
    int call, error;            /* which fails, and with what                                    */
    int at, times;              /* from that one on, counted from 0; so many                     */
    int seen, done;             /* calls of that kind; failures                                  */
    int full;                   /* the disk is, every other 8 milliseconds                       */
    char of[1024];              /* of each file: 0 not one of ours, 1 a file, 2 a folder         */
} fault;
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9*(double)t.tv_nsec;
}

/* Whether a call fails now. */
static int fails(int call)
{
    if (call != fault.call || fault.seen++ < fault.at || fault.done == fault.times) return 0;
    fault.done++;
    errno = fault.error;
    return 1;
}
static void fail_at(int call, int error, int at, int times)
{
    fault.call = call;
    fault.error = error;
    fault.at = at;
    fault.times = times;
    fault.seen = fault.done = 0;
}
static void no_fault(void) { fail_at(-1, 0, 0, 0); }

int open(const char *path, int flags, ...)
{
    struct stat s;
    va_list list;
    int mode, f, kind;
    va_start(list, flags);
    mode = va_arg(list, int);
    va_end(list);
    kind = strncmp(path, folder, strlen(folder)) ? 0
         : !stat(path, &s) && S_ISDIR(s.st_mode) ? 2 : 1;
    if (kind && fails(kind == 2 ? OPEN_FOLDER : OPEN)) return -1;
    f = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (f >= 0 && f < (int)sizeof fault.of) fault.of[f] = (char)kind;
    return f;
}
static int kind_of(int f) { return f >= 0 && f < (int)sizeof fault.of ? fault.of[f] : 0; }
ssize_t write(int f, const void *p, size_t n)
{
    if (kind_of(f) && fault.full) {
        const long time = (long)(seconds()*1e6);
        if (time/8000%2) {                      /* there is room for a part of it, at first */
            if (n > 1 && time%2) return syscall(SYS_write, f, p, 1 + (size_t)time/2%(n - 1));
            errno = ENOSPC;
            return -1;
        }
    }
    if (kind_of(f) && fails(WRITE)) {
        if (fault.error == EINTR || n < 2 || fault.done > 1) return -1;
        fault.times++;                          /* some of it; the rest is what fails */
        return syscall(SYS_write, f, p, n/2);
    }
    return syscall(SYS_write, f, p, n);
}
ssize_t read(int f, void *p, size_t n)
{
    return kind_of(f) && fails(READ) ? -1 : syscall(SYS_read, f, p, n);
}
int flock(int f, int how)
{
    return !(how & LOCK_UN) && fails(LOCK) ? -1 : (int)syscall(SYS_flock, f, how);
}
int fsync(int f)                                /* without waiting for the disk */
{
    return kind_of(f) && fails(kind_of(f) == 2 ? FSYNC_FOLDER : FSYNC) ? -1 : 0;
}
int close(int f)
{
    const int fail = kind_of(f) == 1 && fails(CLOSE);
    if (kind_of(f)) fault.of[f] = 0;
    return (int)syscall(SYS_close, f) || fail ? (errno = fail ? fault.error : errno, -1) : 0;
}
int rename(const char *from, const char *to)
{
    if (fails(RENAME)) return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- files and writers -----------------------------------------------------------------------*/

/* How many entries the folder has, but for . and .. */
static int entries(void)
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    int n = 0;
    while (d && (e = readdir(d)) != NULL) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}
static void remove_all(void)
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    while (d && (e = readdir(d)) != NULL) if (e->d_name[0] != '.') unlink(path_of(e->d_name));
    if (d) closedir(d);
}
static int is(const char *path, const void *bytes, size_t n)
{
    size_t size;
    char *p = slurp(path, &size);
    const int same = size == n && !memcmp(p, bytes, n);
    free(p);
    return same;
}
static mode_t mode_of(const char *path)
{
    struct stat s;
    return stat(path, &s) ? 0 : s.st_mode & 07777;
}

/* Two networks of one kind. */
static tnn_net *net[2];
static float floats[2][6000];
static void make(void)
{
    int i;
    for (i = 0; i < 2; i++) {
        net[i] = tnn_create(.input = {1, 12, 12}, .batch = 1, .seed = (uint64_t)i + 1);
        tnn_add(net[i], TNN_CONV2D, .filters = 8, .kernel = 3, .pad = 1);
        tnn_add(net[i], TNN_BATCHNORM);
        tnn_add(net[i], TNN_RELU);
        tnn_add(net[i], TNN_FLATTEN);
        tnn_add(net[i], TNN_DENSE, .units = 10);
        tnn_set_loss(net[i], TNN_CROSS_ENTROPY);
        tnn_set_optimizer(net[i], TNN_ADAM);
        if (tnn_build(net[i])) exit(1);
        test_fill(floats[i], sizeof *floats/sizeof **floats, (uint32_t)i);
    }
}

enum { WEIGHTS, CHECKPOINT, NPY, C_EXPORT, BYTES, WRITERS };
static const char *const WRITER[WRITERS] = { "weights", "checkpoint", "npy", "C", "bytes" };
static tnn_status save(int writer, int which, const char *path)
{
    const long long shape[2] = {60, 100};
    switch (writer) {
    case WEIGHTS:    return tnn_save_weights(net[which], path);
    case CHECKPOINT: return tnn_save_checkpoint(net[which], path);
    case NPY:        return tnn_save_npy(path, floats[which], TNN_F32, 2, shape);
    case C_EXPORT:   return tnn_export_c(net[which], path);
    default:         return tnn_write_file(path, floats[which], sizeof *floats);
    }
}

/* ---- every failure ---------------------------------------------------------------------------*/

static void failures(void)
{
    static const int errors[] = { ENOSPC, EIO, EACCES, EROFS, EDQUOT };
    const char *path = path_of("some.file");
    char file[460];
    size_t size, i;
    int writer, call, at, n = 0;
    snprintf(file, sizeof file, "%s", path);
    for (writer = 0; writer < WRITERS; writer++) {
        char *old, *fresh;
        size_t fresh_size;
        save(writer, 1, file);
        fresh = slurp(file, &fresh_size);
        CHECK(!save(writer, 0, file), "%s: %s", WRITER[writer], tnn_error());
        old = slurp(file, &size);
        CHECK(size > 16384 && fresh_size > 16384, "%d bytes", (int)size);
        for (call = 0; call < CALLS; call++)
            for (at = 0; at < (call == WRITE ? 3 : 1); at++) {
                for (i = 0; i < sizeof errors/sizeof *errors; i++, n++) {
                    const char *why = strerror(errors[i]), *name = WRITER[writer];
                    tnn_status e;
                    fail_at(call, errors[i], at, 1);
                    e = save(writer, 1, file);
                    CHECK(fault.done, "%s: no %s", name, CALL[call]);
                    no_fault();
                    CHECK(entries() == 1, "%s, %s, %s: %d files", name, CALL[call], why, entries());
                    if (call == OPEN_FOLDER && errors[i] == EACCES) {   /* need not be read */
                        CHECK(!e && is(file, fresh, fresh_size), "%s: %s", name, tnn_error());
                        CHECK(!save(writer, 0, file), "%s", tnn_error());
                        continue;
                    }
                    CHECK(e && strstr(tnn_error(), file) && strstr(tnn_error(), why),
                          "%s, %s, %s: \"%s\"", name, CALL[call], why, tnn_error());
                    tnn_clear_error();
                    if (call == FSYNC_FOLDER) {         /* too late */
                        CHECK(is(file, fresh, fresh_size), "%s: torn", name);
                        CHECK(!save(writer, 0, file), "%s", tnn_error());
                    }
                    CHECK(is(file, old, size), "%s, %s, %s: the old file is lost", name,
                          CALL[call], why);
                }
                fail_at(call, EINTR, at, 1);
                CHECK(call == RENAME || !save(writer, 0, file), "%s, %s, a signal: %s",
                      WRITER[writer], CALL[call], tnn_error());
                no_fault();
                CHECK(is(file, old, size), "%s, %s, a signal", WRITER[writer], CALL[call]);
            }
        free(old);
        free(fresh);
    }
    test_note("%d failures", n);
    remove_all();
}

/* ---- what stands at PATH ---------------------------------------------------------------------*/

static void names(void)
{
    char file[460], user[700], text[520];
    size_t n;
    int i;
    snprintf(file, sizeof file, "%s", path_of("model"));
    snprintf(user, sizeof user, "%s", path_of("model.tmp"));
    spill(user, "the user's own", 14);
    CHECK(!tnn_write_file(file, "new", 3) && is(file, "new", 3), "%s", tnn_error());
    CHECK(is(user, "the user's own", 14), "a file of the user's is gone");
    unlink(user);
    CHECK(!symlink("other", user), "no link");
    spill(path_of("other"), "other", 5);
    CHECK(!tnn_write_file(file, "n2", 2) && is(file, "n2", 2), "%s", tnn_error());
    CHECK(is(path_of("other"), "other", 5), "a link was followed");
    unlink(user);
    CHECK(!mkfifo(user, 0600), "no pipe");
    CHECK(!tnn_write_file(file, "n3", 2) && is(file, "n3", 2), "%s", tnn_error());
    remove_all();
    /* names that an earlier process of this number has left */
    for (i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s.%d-%d.tmp", file, (int)getpid(), i);
        spill(text, "old", 3);
    }
    CHECK(!tnn_write_file(file, "n4", 2) && is(file, "n4", 2) && entries() == 4, "%d files",
          entries());
    remove_all();
    /* in a folder that may not be read; of a long name; by a relative path */
    CHECK(!chmod(folder, 0300) && !tnn_write_file(file, "n5", 2), "%s", tnn_error());
    CHECK(!chmod(folder, 0700) && is(file, "n5", 2), "not written");
    snprintf(user, sizeof user, "%s", path_of(""));
    n = strlen(user);
    CHECK(n + 256 < sizeof user, "the folder's name is too long");
    memset(user + n, 'x', 256);
    user[n + 255] = 0;
    CHECK(!tnn_write_file(user, "long", 4) && is(user, "long", 4) && entries() == 2, "%s",
          tnn_error());
    unlink(user);
    user[n + 255] = 'x';
    user[n + 256] = 0;
    CHECK(tnn_write_file(user, "", 0) && strstr(tnn_error(), "xx: cannot be written: ")
          && strstr(tnn_error(), strerror(ENAMETOOLONG)), "%s", tnn_error());
    tnn_clear_error();
    CHECK(getcwd(text, sizeof text) && !chdir(folder), "no folder");
    CHECK(!tnn_write_file("model", "n6", 2) && entries() == 1, "%s", tnn_error());
    CHECK(!chdir(text) && is(file, "n6", 2), "not written");
    /* what is no call */
    CHECK(tnn_write_file(NULL, "", 0) && strstr(tnn_error(), "no path"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_write_file(file, NULL, 1) && strstr(tnn_error(), "no bytes"), "%s", tnn_error());
    tnn_clear_error();
    CHECK(!tnn_write_file(file, NULL, 0) && is(file, "", 0), "%s", tnn_error());
    remove_all();
}
static int is_link(const char *path)
{
    struct stat s;
    return !lstat(path, &s) && S_ISLNK(s.st_mode);
}
static void links(void)
{
    char a[460], b[460], c[460], in[460];
    snprintf(a, sizeof a, "%s", path_of("a"));
    snprintf(b, sizeof b, "%s", path_of("b"));
    snprintf(c, sizeof c, "%s", path_of("c"));
    snprintf(in, sizeof in, "%s", path_of("in"));
    CHECK(!symlink("b", a) && !symlink(c, b), "no links");      /* a -> b -> .../c, not there */
    CHECK(!tnn_write_file(a, "1", 1) && is_link(a) && is_link(b) && is(c, "1", 1), "%s",
          tnn_error());
    CHECK(!tnn_write_file(a, "22", 2) && is_link(a) && is(c, "22", 2) && entries() == 3, "%s",
          tnn_error());
    CHECK(!mkdir(in, 0700) && !unlink(a) && !symlink("in/x", a), "no link");
    CHECK(!tnn_write_file(a, "3", 1) && is_link(a) && is(path_of("in/x"), "3", 1), "%s",
          tnn_error());
    unlink(b);
    unlink(a);
    CHECK(!symlink("b", a) && !symlink("a", b), "no links");
    CHECK(tnn_write_file(a, "4", 1) && strstr(tnn_error(), strerror(ELOOP)), "%s", tnn_error());
    tnn_clear_error();
    CHECK(tnn_write_file(in, "5", 1) && strstr(tnn_error(), strerror(EISDIR)), "%s", tnn_error());
    tnn_clear_error();
    unlink(path_of("in/x"));
    rmdir(in);
    remove_all();
}
static void modes(void)
{
    char file[460];
    mode_t before = umask(027);
    snprintf(file, sizeof file, "%s", path_of("m"));
    CHECK(!tnn_write_file(file, "1", 1) && mode_of(file) == 0640, "new: %o", mode_of(file));
    CHECK(!chmod(file, 0600) && !tnn_write_file(file, "2", 1) && mode_of(file) == 0600,
          "0600 became %o", mode_of(file));
    CHECK(!chmod(file, 0666) && !tnn_write_file(file, "3", 1) && mode_of(file) == 0666,
          "0666 became %o", mode_of(file));
    CHECK(!chmod(file, 0444), "mode");
    if (geteuid()) {
        CHECK(tnn_write_file(file, "4", 1) && strstr(tnn_error(), strerror(EACCES)), "%s",
              tnn_error());
        tnn_clear_error();
        CHECK(is(file, "3", 1) && entries() == 1, "what is protected is replaced");
    } else {
        const gid_t group = 5678;
        struct stat s;
        int status;
        pid_t child;
        CHECK(!chown(file, 1234, 5678) && !tnn_write_file(file, "4", 1), "%s", tnn_error());
        CHECK(!stat(file, &s) && s.st_uid == 1234 && s.st_gid == 5678 && mode_of(file) == 0444,
              "another owner");
        /* another user of the group saves it: it stays the group's */
        CHECK(!chmod(file, 0660) && !chown(folder, 0, group) && !chmod(folder, 0770), "no modes");
        child = fork();
        if (!child)
            _exit(chdir(folder) || setgroups(1, &group) || setgid(5679) || setuid(1235)
                  || tnn_write_file("m", "5", 1));
        CHECK(waitpid(child, &status, 0) == child && !status && is(file, "5", 1), "not written");
        CHECK(!stat(file, &s) && s.st_uid == 1235 && s.st_gid == group && mode_of(file) == 0660,
              "of group %d, mode %o", (int)s.st_gid, mode_of(file));
        CHECK(!chown(folder, 0, getegid()) && !chmod(folder, 0700), "no modes");
    }
    umask(before);
    remove_all();
}
static void devices(void)
{
    char file[460];
    const char *seen = "no device";
    struct stat s;
    pid_t child;
    int status, f;
    snprintf(file, sizeof file, "%s", path_of("d"));
    CHECK(!mkfifo(file, 0600), "no pipe");
    child = fork();
    if (!child) {
        char text[8];
        f = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY, 0);
        _exit(read(f, text, sizeof text) != 3 || memcmp(text, "abc", 3));
    }
    CHECK(!tnn_write_file(file, "abc", 3), "%s", tnn_error());
    CHECK(waitpid(child, &status, 0) == child && !status, "not through the pipe");
    CHECK(!lstat(file, &s) && S_ISFIFO(s.st_mode) && entries() == 1, "the pipe is replaced");
    unlink(file);
    if (!mknod(file, S_IFCHR | 0666, (dev_t)(1 << 8 | 3))) {    /* /dev/null's, of our own */
        f = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY, 0);
        if (f >= 0) {                                   /* unless devices do not work there */
            seen = "a device";
            CHECK(!save(CHECKPOINT, 0, file), "%s", tnn_error());
            CHECK(!lstat(file, &s) && S_ISCHR(s.st_mode) && entries() == 1, "it is replaced");
            syscall(SYS_close, f);
        }
        unlink(file);
    }
    CHECK(!save(WEIGHTS, 0, "/dev/null") && !stat("/dev/null", &s) && S_ISCHR(s.st_mode), "%s",
          tnn_error());
    CHECK(tnn_write_file("/dev/full", "a", 1) && strstr(tnn_error(), "/dev/full")
          && strstr(tnn_error(), strerror(ENOSPC)), "%s", tnn_error());
    tnn_clear_error();
    /* standard output, of another process: a file that has begun */
    child = fork();
    if (!child) {
        f = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT, 0600);
        if (dup2(f, 1) != 1 || write(1, "begun ", 6) != 6) _exit(1);
        _exit(tnn_write_file("/dev/stdout", "more", 4) != TNN_OK);
    }
    CHECK(waitpid(child, &status, 0) == child && !status && is(file, "begun more", 10),
          "/dev/stdout");
    test_note("%s", seen);
    remove_all();
}

/* ---- several writers, and a reader -----------------------------------------------------------*/

static void together(void)
{
    const double most = getenv("TINYNN_SAVING") ? atof(getenv("TINYNN_SAVING")) : 0.15;
    char file[460];
    int writer, writers, i, reads = 0, torn = 0, saves = 0;
    snprintf(file, sizeof file, "%s", path_of("shared"));
    for (writer = 0; writer < WRITERS; writer++)
        for (writers = 2; writers <= 3; writers++) {
            char *want[2];
            size_t size[2];
            const double end = seconds() + most;
            pid_t child[3];
            for (i = 0; i < 2; i++) {
                CHECK(!save(writer, i, file), "%s", tnn_error());
                want[i] = slurp(file, &size[i]);
            }
            for (i = 0; i < writers; i++)
                if (!(child[i] = fork())) {
                    int n = 0;
                    do if (save(writer, (n + i)%2, file)) _exit(0);
                    while (n++, seconds() < end);
                    _exit(n < 255 ? n : 255);
                }
            do {
                size_t n;
                char *p = slurp(file, &n);
                torn += (n != size[0] || memcmp(p, want[0], n))
                        && (n != size[1] || memcmp(p, want[1], n));
                free(p);
            } while (reads++, seconds() < end);
            for (i = 0; i < writers; i++) {
                int status = 0;
                waitpid(child[i], &status, 0);
                saves += WEXITSTATUS(status);
                CHECK(WIFEXITED(status) && WEXITSTATUS(status), "%s: writer %d of %d failed",
                      WRITER[writer], i, writers);
            }
            free(want[0]);
            free(want[1]);
        }
    CHECK(!torn && reads >= 2*WRITERS, "%d torn of %d", torn, reads);
    CHECK(entries() == 1, "%d files", entries());
    test_note("%d saves or more, %d reads, %d torn", saves, reads, torn);
    remove_all();
}

/* ---- journals --------------------------------------------------------------------------------*/

static const tnn_variable space[] = {
    { .name = "lr", .low = 1e-5, .high = 1, .log = 1 },
    { .name = "width", .type = TNN_INT, .low = 1, .high = 200 } };
static tnn_study *study(const char *journal, int trials, int shard, int shards)
{
    return tnn_study_create(.space = space, .count = 2, .trials = trials, .seed = 3,
                            .journal = journal, .sampler = TNN_RANDOM, .shard = shard,
                            .shards = shards);
}
static double value_of(const tnn_trial *t) { return 3*t->x[0] + t->number; }

/* A call that fails says why and changes nothing, for others neither; made again, it succeeds. */
static void journal_failures(void)
{
    static const int errors[] = { ENOSPC, EIO, EACCES, EROFS, EDQUOT };
    static const struct { int call, at, open, tell; } where[] = {
        { OPEN, 0, 1, 1 }, { LOCK, 0, 1, 1 }, { READ, 0, 1, 1 }, { READ, 1, 1, 1 },
        { WRITE, 0, 1, 1 }, { WRITE, 1, 1, 1 }, { FSYNC, 0, 1, 1 }, { OPEN_FOLDER, 0, 1, 0 },
        { FSYNC_FOLDER, 0, 1, 0 }, { WRITE, 2, 1, 0 }, { WRITE, 3, 1, 0 } };
    char file[460];
    size_t w, i;
    int n = 0;
    snprintf(file, sizeof file, "%s", path_of("journal.tsv"));
    for (w = 0; w < sizeof where/sizeof *where; w++)
        for (i = 0; i <= sizeof errors/sizeof *errors; i++, n++) {
            const int signal = i == sizeof errors/sizeof *errors, call = where[w].call;
            const int error = signal ? EINTR : errors[i];
            const int good = signal || (call == OPEN_FOLDER && error == EACCES);
            tnn_study *s, *other;
            tnn_trial *t;
            tnn_status e;
            int bad;
            unlink(file);
            fail_at(call, error, where[w].at, 1);
            s = study(file, 9, 0, 1);
            CHECK(fault.done, "no %s", CALL[call]);
            no_fault();
            CHECK(good ? s != NULL : !s && strstr(tnn_error(), file)
                                     && strstr(tnn_error(), strerror(error)),
                  "%s: %s", CALL[call], tnn_error());
            tnn_clear_error();
            tnn_study_free(s);
            s = study(file, 9, 0, 1);
            CHECK(s && (t = tnn_ask(s)) && !tnn_report(t, 0, 5) && !tnn_tell(t, 7), "%s",
                  tnn_error());
            other = study(file, 9, 0, 1);
            CHECK(other, "%s", tnn_error());
            if (!where[w].tell || !s || !other) {
                tnn_study_free(s);
                tnn_study_free(other);
                continue;
            }
            t = tnn_ask(s);
            fail_at(call, error, where[w].at, 1);
            bad = tnn_report(t, 0, 5);          /* which does not sync */
            CHECK(bad == (!good && fault.done) && t->count == !bad, "a report, %s: %s", CALL[call],
                  tnn_error());
            CHECK(fault.done || call == FSYNC, "no %s", CALL[call]);
            no_fault();
            tnn_clear_error();
            if (bad) CHECK(!tnn_report(t, 0, 5), "%s", tnn_error());
            fail_at(call, error, where[w].at, 1);
            e = tnn_tell(t, 7);
            CHECK(fault.done, "no %s", CALL[call]);
            no_fault();
            CHECK(good ? !e : e && strstr(tnn_error(), file)
                              && strstr(tnn_error(), strerror(error)), "a tell, %s: %s",
                  CALL[call], tnn_error());
            tnn_clear_error();
            CHECK(tnn_ask(other) && other, "%s", tnn_error());
            CHECK((tnn_study_trial(other, 1)->state == TNN_DONE) == good, "%s, %s: it is told",
                  CALL[call], strerror(error));
            if (!good) {
                CHECK(!tnn_ask(s), "the trial is lost");
                tnn_clear_error();
                CHECK(!tnn_tell(t, 8), "%s", tnn_error());
            }
            CHECK((t = tnn_ask(s)) && !tnn_tell(t, 9), "%s", tnn_error());
            tnn_study_free(other);
            other = study(file, 9, 0, 1);
            CHECK(other && (t = tnn_ask(other)) && t->number == 3
                  && tnn_study_trial(other, 1)->value == (good ? 7 : 8)
                  && tnn_study_trial(other, 1)->count == 1
                  && tnn_study_trial(other, 2)->value == 9, "%s, %s: %s", CALL[call],
                  strerror(error), tnn_error());
            tnn_study_free(s);
            tnn_study_free(other);
        }
    CHECK(!study(path_of(""), 9, 0, 1) && strstr(tnn_error(), "not a file"), "%s", tnn_error());
    tnn_clear_error();
    test_note("%d failures", n);
    remove_all();
}

enum { SHARDS = 8, TRIALS = 160 };
static struct { volatile char begun[TRIALS], told[TRIALS]; } *shared;
static void shard(const char *journal, int i)
{
    tnn_study *s;
    tnn_trial *t;
    while (!(s = study(journal, TRIALS, i, SHARDS))) { tnn_clear_error(); usleep(300); }
    for (;;) {
        int step;
        while (!(t = tnn_ask(s)) && tnn_failed()) { tnn_clear_error(); usleep(300); }
        if (!t) _exit(0);
        shared->begun[t->number] = 1;
        for (step = 0; step < 2; step++)
            while (tnn_report(t, step, step + value_of(t))) { tnn_clear_error(); usleep(300); }
        while (tnn_tell(t, value_of(t))) { tnn_clear_error(); usleep(300); }
        shared->told[t->number] = 1;
    }
}
/* Whether the journal says of every trial what happened to it. */
static void check_journal(const char *journal, const tnn_study *want, int all)
{
    char told[TRIALS];
    tnn_study *s;
    int k;
    for (k = 0; k < TRIALS; k++) told[k] = shared->told[k];
    while (!(s = study(journal, TRIALS, 0, SHARDS)) && strstr(tnn_error(), strerror(ENOSPC))) {
        tnn_clear_error();              /* it may be the first to write there */
        usleep(300);
    }
    CHECK(s, "%s", tnn_error());
    tnn_clear_error();
    for (k = 0; s && k < TRIALS; k++) {
        const tnn_trial *t = tnn_study_trial(s, k), *w = tnn_study_trial(want, k);
        const int done = t->state == TNN_DONE;
        CHECK(done || t->state == TNN_WAITING, "trial %d: state %d", k, (int)t->state);
        CHECK(done || !(told[k] || all), "trial %d was told and is lost", k);
        CHECK(!done || shared->begun[k], "trial %d is done and never ran", k);
        CHECK(!done || (t->value == value_of(w) && !memcmp(t->x, w->x, 2*sizeof *t->x)
                        && t->count == 2 && t->reports[0].value == value_of(w)
                        && t->reports[1].value == 1 + value_of(w)), "trial %d is another", k);
    }
    tnn_study_free(s);
}
/* Runs the shards again and again, killing one after another; returns how many studies. */
static int shards_killed(const char *journal, int kills)
{
    tnn_study *want = study(NULL, TRIALS, 0, 1);
    tnn_trial *t;
    int studies = 0, killed = 0, i;
    uint32_t state = 1;
    while ((t = tnn_ask(want)) != NULL) tnn_tell(t, 0);
    for (; killed < kills && !test.failures; studies++) {
        pid_t child[SHARDS] = { 0 };
        int left = SHARDS, status;
        unlink(journal);
        memset(shared, 0, sizeof *shared);
        while (left > 0) {
            for (i = 0; i < SHARDS; i++)
                if (!child[i] && !(child[i] = fork())) shard(journal, i);
            usleep((useconds_t)test_pick(&state, 0, 4000));
            i = test_pick(&state, 0, SHARDS - 1);
            if (child[i] < 0) continue;                 /* has done all of its trials */
            if (killed < kills) kill(child[i], SIGKILL);
            CHECK(waitpid(child[i], &status, 0) == child[i]
                  && (WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : !WEXITSTATUS(status)),
                  "shard %d ended with %d", i, status);
            killed += WIFSIGNALED(status);
            left -= !WIFSIGNALED(status);
            child[i] = WIFSIGNALED(status) ? 0 : -1;
            if (WIFSIGNALED(status) && (kills < 100 || killed%8 == 0))
                check_journal(journal, want, 0);
        }
        check_journal(journal, want, 1);
    }
    tnn_study_free(want);
    return studies;
}
static void journal_kills(void)
{
    const int kills = getenv("TINYNN_SAVING") ? 500 : 40;
    const char *journal = path_of("killed.tsv");
    int studies;
    fault.full = 1;
    studies = shards_killed(journal, kills);
    fault.full = 0;
    test_note("%d kills in %d studies", kills, studies);
    remove_all();
}
/* The same on a file system of 1 MB, which another process fills and clears. */
static void journal_full(void)
{
    char at[400], journal[440], filler[440];
    static char block[65536];
    pid_t child;
    int studies;
    snprintf(at, sizeof at, "%s", path_of("disk"));
    mkdir(at, 0700);
    if (mount("tmpfs", at, "tmpfs", 0, "size=1m")) {
        test_note("skipped: no disk could be mounted");
        rmdir(at);
        return;
    }
    snprintf(journal, sizeof journal, "%s/journal.tsv", at);
    snprintf(filler, sizeof filler, "%s/filler", at);
    if (!(child = fork()))
        for (;;) {
            const int f = (int)syscall(SYS_openat, AT_FDCWD, filler, O_WRONLY | O_CREAT, 0600);
            while (syscall(SYS_write, f, block, sizeof block) > 0) {}
            usleep(8000);
            syscall(SYS_ftruncate, f, 0L);
            syscall(SYS_close, f);
            usleep(8000);
        }
    studies = shards_killed(journal, 500);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    test_note("500 kills in %d studies", studies);
    CHECK(!umount(at), "cannot be unmounted");
    rmdir(at);
}

int main(int argc, char **argv)
{
    char at[400], here[PATH_MAX];       /* messages have 200 characters of a path */
    test_start(argc, argv);
    test_folder(at, sizeof at, argv[0]);
    if (!realpath(at, here) || strlen(here) > 150) snprintf(here, sizeof here, "/tmp");
    snprintf(folder, sizeof folder, "%.150s/test_saving.files", here);
    mkdir(folder, 0700);
    remove_all();
    no_fault();
    tnn_set_threads(1);
    make();
    RUN("every failure", failures);
    RUN("names", names);
    RUN("links", links);
    RUN("modes", modes);
    RUN("devices", devices);
    RUN("several writers", together);
    RUN("every failure of a journal", journal_failures);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    RUN("shards killed, the disk full at times", journal_kills);
    if (getenv("TINYNN_SAVING")) RUN("shards killed on a full disk", journal_full);
    tnn_free(net[0]);
    tnn_free(net[1]);
    rmdir(folder);
    return test_finish();
}
#endif
