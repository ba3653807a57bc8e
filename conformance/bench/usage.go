package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU returns the CPU time of this process, of all its threads.
func processCPU() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// cpuOf returns the CPU time of another process, threads that ended included; 0 when it is gone. The clock's number is
// made as clock_getcpuclockid(3) does.
func cpuOf(pid int) time.Duration { return clock(int32(^pid<<3 | 2)) } //nolint:gosec // process numbers are small

func clock(id int32) time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(id, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

var rssAnon = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)

// anonymous returns the anonymous memory of a process.
func anonymous(pid string) (int64, error) {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	m := rssAnon.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("/proc/%s/status has no RssAnon", pid)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10, err
}

// allocated returns the bytes that this process ever allocated on the heap.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below
}

// begin starts to measure what something costs this process.
type beginning struct {
	at        time.Time
	cpu       time.Duration
	allocated uint64
}

func begin() beginning { return beginning{time.Now(), processCPU(), allocated()} }

func (b beginning) end() cost {
	return cost{CPU: processCPU() - b.cpu, Wall: time.Since(b.at), Allocated: allocated() - b.allocated}
}
