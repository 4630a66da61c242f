/* files.h - whole files, and where a test program has its own: beside itself

   files_of(argv[0], "test_x-") comes first; path_of("name") is then FOLDER/test_x-name. */
#ifndef FILES_H
#define FILES_H

#include <sys/stat.h>
#ifdef _WIN32
#include <direct.h>
#define MAKE_FOLDER(path)   _mkdir(path)
#define REMOVE_FOLDER(path) _rmdir(path)        /* an empty one */
#else
#include <sys/types.h>
#include <unistd.h>
#define MAKE_FOLDER(path)   mkdir(path, 0777)
#define REMOVE_FOLDER(path) rmdir(path)
#endif

static char folder[400], files_begin[40];

static inline void files_of(const char *program, const char *begin)
{
    test_folder(folder, sizeof folder, program);
    snprintf(files_begin, sizeof files_begin, "%s", begin);
}
/* Valid until the second call after it. */
static inline const char *path_of(const char *name)
{
    static char path[2][700];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s%.255s", folder, files_begin, name);
    return path[turn];
}

/* The bytes of a file, at most 1 MB, and a 0, to be freed; there is room for as much again. */
static inline char *slurp(const char *path, size_t *size)
{
    const size_t most = 1 << 20;
    char *p = (char *)malloc(2 * most);
    FILE *f = fopen(path, "rb");
    if (!p) exit(1);
    *size = f ? fread(p, 1, most - 1, f) : 0;
    if (f) fclose(f);
    p[*size] = 0;
    return p;
}
static inline void spill(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size, "cannot write %s", path);
    if (f) fclose(f);
}
static inline int exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}
#endif
