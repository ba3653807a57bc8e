package envoy

import (
	"os"
	"strconv"
	"strings"
)

const (
	// leastHeap is what Envoy may always use.
	leastHeap = 512 << 20
	// unknownMemory is taken for the memory of a machine that does not tell.
	unknownMemory = 2 << 30
)

// HeapLimit returns how much memory an Envoy may use on this machine before it refuses requests: half of what there is,
// the limit of the process's cgroup included.
func HeapLimit() uint64 {
	return max(min(machineMemory(), cgroupMemory())/2, leastHeap)
}

func machineMemory() uint64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknownMemory
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return unknownMemory
}

// cgroupMemory is the limit of the cgroup that is the root of what the process sees, as in a container.
func cgroupMemory() uint64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return n
		}
	}
	return 1 << 62 // "max", or no limit that can be read
}
