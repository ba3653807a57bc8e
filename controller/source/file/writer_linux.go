package file

import (
	"os"
	"syscall"
)

// beingWritten tells whether some process has a file open for writing: then no read lease can be had (fcntl(2), "Leases").
// Whoever may not ask, or asks a file system without leases, is told no.
func beingWritten(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // and with it the lease
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_SETLEASE, syscall.F_RDLCK)
	return errno == syscall.EAGAIN
}
