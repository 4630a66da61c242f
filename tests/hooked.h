/* hooked.h - tinynn.h with a malloc and free of the test program's own, which it defines

   Instead of tinynn.h, above test.h. make compiles the library with these once, for all programs
   that include this file. */
#include <stddef.h>
void *test_malloc(size_t bytes);
void  test_free(void *p);
#define TINYNN_MALLOC(context, bytes) test_malloc(bytes)
#define TINYNN_FREE(context, p)       test_free(p)
#ifndef TINYNN_ELSEWHERE
#define TINYNN_IMPLEMENTATION
#endif
#include "tinynn.h"
