/* A disk that fails when told to, in front of libc's own calls (LD_PRELOAD; tests only).
 *
 * QUORATE_TEST_DISK names a folder. While it holds a file `eio`, every flush fails with EIO; while it holds `full`, every
 * write to an ordinary file fails with ENOSPC. Each failed flush adds a byte to the file `flushes`, so that a test can
 * count how often a flush was tried. Standard streams are left alone: what a process says can still be read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int told(const char *what, int flags, int *file) {
    const char *room = getenv("QUORATE_TEST_DISK");
    char path[4096];
    if (room == NULL) return 0;
    int length = snprintf(path, sizeof path, "%s/%s", room, what);
    if (length < 0 || (size_t)length >= sizeof path) return 0;
    if (file == NULL) return access(path, F_OK) == 0;
    *file = open(path, flags, 0600);
    return *file >= 0;
}

static int flush_fails(void) {
    int file;
    if (!told("eio", 0, NULL)) return 0;
    if (told("flushes", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, &file)) {
        syscall(SYS_write, file, "x", 1);
        close(file);
    }
    errno = EIO;
    return 1;
}

static int is_full(int fd) {
    struct stat about;
    if (fd <= 2 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    if (!told("full", 0, NULL)) return 0;
    errno = ENOSPC;
    return 1;
}

int fsync(int fd) { return flush_fails() ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return flush_fails() ? -1 : (int)syscall(SYS_fdatasync, fd); }

ssize_t write(int fd, const void *bytes, size_t count) {
    return is_full(fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return is_full(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return is_full(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}
