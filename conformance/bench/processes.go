package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processes are those below one that was started: Envoys by the name of their command, and the control plane.
type processes struct {
	envoys, control []int
}

// below finds a process and everything below it.
func below(root int, envoyComm string) processes {
	type process struct {
		pid    int
		parent int
		comm   string
	}
	var all []process
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		if err != nil || end < open {
			continue // ended meanwhile
		}
		fields := strings.Fields(string(text[end+1:]))
		p := process{comm: string(text[open+1 : end])}
		p.pid, _ = strconv.Atoi(strings.TrimSpace(string(text[:open])))
		p.parent, _ = strconv.Atoi(fields[1])
		all = append(all, p)
	}
	var out processes
	wanted := map[int]bool{root: true}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if wanted[p.parent] && !wanted[p.pid] {
				wanted[p.pid], grown = true, true
			}
		}
	}
	for _, p := range all {
		switch {
		case !wanted[p.pid]:
		case p.comm == envoyComm:
			out.envoys = append(out.envoys, p.pid)
		default:
			out.control = append(out.control, p.pid)
		}
	}
	return out
}

func (p processes) controlCPU() (sum time.Duration) {
	for _, pid := range p.control {
		sum += cpuOf(pid)
	}
	return sum
}

// envoyMain is the CPU of Envoys' main threads, which take in configuration and serve no requests.
func (p processes) envoyMain() (sum time.Duration) {
	for _, pid := range p.envoys {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", pid, pid))
		if fields := strings.Fields(string(text)); err == nil && len(fields) > 0 {
			ns, _ := strconv.ParseInt(fields[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// anonymousOf sums up anonymous memory.
func anonymousOf(pids []int) (sum int64) {
	for _, pid := range pids {
		bytes, _ := anonymous(strconv.Itoa(pid))
		sum += bytes
	}
	return sum
}

// program is a command that was started, with everything below it.
type program struct {
	cmd *exec.Cmd
	log *os.File
}

// launch runs a command in a shell. It must stay in the foreground and be the ancestor of all its processes.
func launch(command, log string) (*program, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &program{exec.Command("sh", "-c", command), out}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return p, p.cmd.Start()
}

// stop asks everything to end, and then ends it.
func (p *program) stop() {
	all := below(p.cmd.Process.Pid, "")
	for _, pid := range all.control {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.cmd.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
	}
	for _, pid := range all.control {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-ended
	_ = p.log.Close()
}

var (
	socketPID  = regexp.MustCompile(`pid=(\d+)`)
	socketRead = regexp.MustCompile(`bytes_received:(\d+)`)
)

// tcpReceived is how many bytes Envoys received from the control plane on TCP connections that are open.
func tcpReceived(ctx context.Context, p processes) (int64, error) {
	text, err := exec.CommandContext(ctx, "ss", "-tinpH", "state", "established").Output()
	if err != nil {
		return 0, fmt.Errorf("ss (iproute2), or give -envoy-admin: %w", err)
	}
	type ends struct{ local, remote string }
	owners, read := map[ends]string{}, map[ends]int64{}
	var last ends
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); line[0] != ' ' && line[0] != '\t' && len(fields) > 3 {
			last = ends{plainAddress(fields[2]), plainAddress(fields[3])}
			owners[last] = line
		} else if m := socketRead.FindStringSubmatch(line); m != nil {
			read[last], _ = strconv.ParseInt(m[1], 10, 64)
		}
	}
	owned := func(line string, pids []int) bool {
		for _, m := range socketPID.FindAllStringSubmatch(line, -1) {
			for _, pid := range pids {
				if m[1] == strconv.Itoa(pid) {
					return true
				}
			}
		}
		return false
	}
	var sum int64
	for e, line := range owners {
		if owned(line, p.envoys) && owned(owners[ends{e.remote, e.local}], p.control) {
			sum += read[e]
		}
	}
	return sum, nil
}

func plainAddress(a string) string {
	return strings.NewReplacer("[::ffff:", "", "]", "").Replace(a)
}
