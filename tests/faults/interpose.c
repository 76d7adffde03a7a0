/* Counts the calls by which a program changes files below one folder (open for writing, write, pwrite, ftruncate, fsync, close,
 * rename, unlink, mkdir and their kin), and spoils the k-th: for LD_PRELOAD.
 *
 *   FAULT_FOLDER   calls on files below it count; others pass untouched
 *   FAULT_AT       which call is spoilt, from 1 (0: none)
 *   FAULT_KIND     kill (SIGKILL before the call), eio, enospc, eintr, short (half of a write)
 *   FAULT_FOREVER  1: every call from that one on
 *   FAULT_RANK     of which MPI process; absent: of all
 *   FAULT_COUNT    a file that gets the number of calls at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static const char* setting(const char* name) {
  const char* value = getenv(name);
  return value != NULL ? value : "";
}

static int is_our_process(void) {
  const char* rank = setting("FAULT_RANK");
  return rank[0] == '\0' || strcmp(rank, setting("OMPI_COMM_WORLD_RANK")) == 0;
}

static int is_below(const char* path) {
  const char* folder = setting("FAULT_FOLDER");
  char whole[PATH_MAX];
  if (path == NULL || folder[0] == '\0') return 0;
  if (path[0] != '/') {
    if (getcwd(whole, sizeof whole) == NULL) return 0;
    const size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
    path = whole;
  }
  return strncmp(path, folder, strlen(folder)) == 0;
}

static int is_file_below(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

/* 0: let it pass; else spoil it with this errno; -1: a short write. */
static int fault(int counts) {
  if (!counts || !is_our_process()) return 0;
  const long number = atomic_fetch_add(&calls, 1) + 1;
  const long at = atol(setting("FAULT_AT"));
  if (at == 0 || number < at || (number > at && strcmp(setting("FAULT_FOREVER"), "1") != 0)) return 0;
  const char* kind = setting("FAULT_KIND");
  if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
  if (strcmp(kind, "eio") == 0) return EIO;
  if (strcmp(kind, "enospc") == 0) return ENOSPC;
  if (strcmp(kind, "eintr") == 0) return EINTR;
  return strcmp(kind, "short") == 0 ? -1 : 0;
}

/* A call that is interrupted, or has no disk to fill, knows no ENOSPC or EINTR: it passes. */
static int fault_of_name(int counts) {
  const int code = fault(counts);
  return code == EINTR || code == -1 ? 0 : code;
}

__attribute__((destructor)) static void leave_count(void) {
  const char* path = setting("FAULT_COUNT");
  if (path[0] == '\0' || !is_our_process()) return;
  FILE* file = fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%ld\n", atomic_load(&calls));
  fclose(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SPOIL(code) \
  do {              \
    errno = (code); \
    return -1;      \
  } while (0)

static int writes(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0; }

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const int code = fault(writes(flags) && is_below(path));
  if (code > 0) SPOIL(code);
  return NEXT(open)(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const int code = fault(writes(flags) && is_below(path));
  if (code > 0) SPOIL(code);
  return NEXT(open64)(path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const int code = fault(writes(flags) && (path[0] == '/' ? is_below(path) : is_file_below(folder)));
  if (code > 0) SPOIL(code);
  return NEXT(openat)(folder, path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const int code = fault(descriptor > 2 && is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(write)(descriptor, bytes, code < 0 ? (count + 1) / 2 : count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  const int code = fault(is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(pwrite)(descriptor, bytes, code < 0 ? (count + 1) / 2 : count, offset);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  const int code = fault(is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(pwrite64)(descriptor, bytes, code < 0 ? (count + 1) / 2 : count, offset);
}

int ftruncate(int descriptor, off_t length) {
  const int code = fault(is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(ftruncate)(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) {
  const int code = fault(is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(ftruncate64)(descriptor, length);
}

int fsync(int descriptor) {
  const int code = fault(is_file_below(descriptor));
  if (code > 0) SPOIL(code);
  return NEXT(fsync)(descriptor);
}

/* It closes whatever it says, as Linux does. */
int close(int descriptor) {
  const int code = fault(descriptor > 2 && is_file_below(descriptor));
  const int status = NEXT(close)(descriptor);
  if (code > 0) SPOIL(code);
  return status;
}

int rename(const char* from, const char* to) {
  const int code = fault_of_name(is_below(to));
  if (code > 0) SPOIL(code);
  return NEXT(rename)(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const int code = fault_of_name(is_below(to) || is_below(from));
  if (code > 0) SPOIL(code);
  return NEXT(renameat2)(from_folder, from, to_folder, to, flags);
}

int unlinkat(int folder, const char* path, int flags) {
  const int code = fault_of_name(path[0] == '/' ? is_below(path) : is_file_below(folder));
  if (code > 0) SPOIL(code);
  return NEXT(unlinkat)(folder, path, flags);
}

int unlink(const char* path) {
  const int code = fault_of_name(is_below(path));
  if (code > 0) SPOIL(code);
  return NEXT(unlink)(path);
}

int mkdir(const char* path, mode_t mode) {
  const int code = fault_of_name(is_below(path));
  if (code > 0) SPOIL(code);
  return NEXT(mkdir)(path, mode);
}
