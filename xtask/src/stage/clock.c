/* Another day and another machine, in front of libc (LD_PRELOAD; stories only).
 *
 * QUORATE_STORY_CLOCK holds a number of seconds, below zero for the past. Only the wall clock is another: whatever waits
 * or measures reads the monotonic clock and is left alone. QUORATE_STORY_MACHINE names a file to be read as
 * /etc/machine-id.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long shift(void) {
    static long long seconds;
    static int known;
    if (!known) {
        const char *text = getenv("QUORATE_STORY_CLOCK");
        seconds = text == NULL ? 0 : atoll(text);
        known = 1;
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int answer = (int)syscall(SYS_clock_gettime, clock, now);
    if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return answer;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
    if (out != NULL) *out = exact.tv_sec;
    return exact.tv_sec;
}

static int opened(const char *path, int flags, int mode) {
    const char *machine = getenv("QUORATE_STORY_MACHINE");
    if (machine != NULL && strcmp(path, "/etc/machine-id") == 0) path = machine;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened(path, flags, mode);
}
