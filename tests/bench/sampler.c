#include "sampler.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Room for a minute of samples, a power of two of pages as the kernel wants it. */
enum { RING_PAGES = 1024 };

/* A PERF_RECORD_SAMPLE with PERF_SAMPLE_TID. */
struct sample {
    struct perf_event_header header;
    uint32_t pid;
    uint32_t tid;
};

static struct {
    int fd;
    struct perf_event_mmap_page *control;
    const uint8_t *ring;
    size_t page, size;
} sampler = {.fd = -1};

bool sampler_open(int cpu, const char **reason)
{
    struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_SW_CPU_CLOCK,
                                         .sample_freq = SAMPLER_RATE,
                                         .sample_type = PERF_SAMPLE_TID,
                                         .disabled = 1,
                                         .freq = 1};

    sampler.page = (size_t)sysconf(_SC_PAGESIZE);
    sampler.size = RING_PAGES * sampler.page;
    sampler.fd = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (sampler.fd < 0) {
        *reason = strerror(errno);
        return false;
    }
    void *map =
        mmap(NULL, sampler.page + sampler.size, PROT_READ | PROT_WRITE, MAP_SHARED, sampler.fd, 0);
    if (map == MAP_FAILED) {
        *reason = strerror(errno);
        sampler_close();
        return false;
    }
    sampler.control = map;
    sampler.ring = (const uint8_t *)map + sampler.page;
    return true;
}

void sampler_close(void)
{
    if (sampler.control != NULL)
        munmap(sampler.control, sampler.page + sampler.size);
    if (sampler.fd >= 0)
        close(sampler.fd);
    sampler.control = NULL;
    sampler.fd = -1;
}

void sampler_start(void)
{
    if (sampler.fd < 0)
        return;
    sampler.control->data_tail = sampler.control->data_head;
    ioctl(sampler.fd, PERF_EVENT_IOC_ENABLE, 0);
}

static bool is_of(const struct family *family, pid_t pid)
{
    for (size_t i = 0; i < family->count; i++)
        if (family->pid[i] == pid)
            return true;
    return false;
}

static void count(struct sampler_counts *counts, const struct sample *sample,
                  const struct family *family)
{
    unsigned mode = sample->header.misc & PERF_RECORD_MISC_CPUMODE_MASK;

    if (sample->header.type == PERF_RECORD_LOST)
        counts->lost++;
    else if (sample->header.type != PERF_RECORD_SAMPLE)
        return;
    else if (!is_of(family, (pid_t)sample->pid))
        counts->others++;
    else if (mode == PERF_RECORD_MISC_USER)
        counts->user++;
    else
        counts->kernel++;
}

struct sampler_counts sampler_stop(const struct family *family)
{
    struct sampler_counts counts = {.user = 0};

    if (sampler.fd < 0)
        return counts;
    ioctl(sampler.fd, PERF_EVENT_IOC_DISABLE, 0);
    uint64_t head = sampler.control->data_head, at = sampler.control->data_tail;
    atomic_thread_fence(memory_order_acquire);
    while (at < head) {
        struct sample sample = {.pid = 0};
        /* Records are multiples of 8 octets, and may wrap around behind the header. */
        for (size_t i = 0; i < sizeof sample; i += 8)
            memcpy((uint8_t *)&sample + i, sampler.ring + (at + i) % sampler.size, 8);
        if (sample.header.size == 0)
            break;
        count(&counts, &sample, family);
        at += sample.header.size;
    }
    return counts;
}
