package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kubelet runs pods: the suite's own backend, echo-basic, as a process for each pod. That listens on every address of the
// machine, so each process gets ports of its own, and what a pod's address is dialled for is passed on to them.
type kubelet struct {
	binary string
	dir    string
	net    *network

	mu   sync.Mutex
	port int
	pods map[types.NamespacedName]*pod
}

// pod is a running echo-basic.
type pod struct {
	command *exec.Cmd
	done    chan struct{}
	doors   []net.Listener

	mu    sync.Mutex
	lines []line
}

// line is a line of a pod's log.
type line struct {
	at   time.Time
	text string
}

// firstPort is the first of the ports of echo-basic.
const firstPort = 26000

func newKubelet(t *testing.T, binary string, n *network) *kubelet {
	k := &kubelet{binary: binary, dir: t.TempDir(), net: n, port: firstPort, pods: map[types.NamespacedName]*pod{}}
	t.Cleanup(func() {
		for name := range k.pods {
			k.stop(name)
		}
	})
	return k
}

// portVariables are the variables by which echo-basic is told its ports, and what they are without them.
func portVariables(variables map[string]string) map[string]int {
	switch {
	case variables["UDP_ECHO_SERVER"] != "":
		return map[string]int{"UDP_PORT": 8080}
	case variables["TCP_ECHO_SERVER"] != "":
		return map[string]int{"TCP_PORT": 3000, "TLS_PORT": 8443}
	case variables["GRPC_ECHO_SERVER"] != "":
		return map[string]int{"HTTP_PORT": 3000, "HTTPS_PORT": 8443}
	default:
		return map[string]int{"HTTP_PORT": 3000, "H2C_PORT": 3001, "HTTPS_PORT": 8443}
	}
}

// start runs a pod with the files that it mounts, waits until it listens, and returns its address.
func (k *kubelet) start(of *corev1.Pod, mounts map[string][]byte) (ip string, err error) {
	name := client.ObjectKeyFromObject(of)
	ip = k.net.of("Pod " + name.String())
	root := filepath.Join(k.dir, name.Namespace, name.Name)
	for path, data := range mounts {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			return "", err
		}
	}
	variables := k.variables(of, root)
	p := &pod{done: make(chan struct{})}
	first := ""
	for variable, usual := range portVariables(variables) {
		inside := usual
		if given := variables[variable]; given != "" {
			if inside, err = strconv.Atoi(given); err != nil {
				return "", err
			}
		}
		k.mu.Lock()
		real := strconv.Itoa(k.port)
		k.port++
		k.mu.Unlock()
		variables[variable] = real
		if variable == "UDP_PORT" {
			continue
		}
		if variable == "HTTP_PORT" || variable == "TCP_PORT" {
			first = real
		}
		if err := p.forward(net.JoinHostPort(ip, strconv.Itoa(inside)), net.JoinHostPort("127.0.0.1", real)); err != nil {
			return "", err
		}
	}
	if err := p.run(k.binary, variables); err != nil {
		return "", err
	}
	k.mu.Lock()
	k.pods[name] = p
	k.mu.Unlock()
	return ip, p.await(first)
}

// variables are the environment of a pod's container, its files found below root.
func (k *kubelet) variables(of *corev1.Pod, root string) map[string]string {
	all := map[string]string{}
	container := &of.Spec.Containers[0]
	for _, v := range container.Env {
		value := v.Value
		if v.ValueFrom != nil && v.ValueFrom.FieldRef != nil {
			value = map[string]string{"metadata.name": of.Name, "metadata.namespace": of.Namespace}[v.ValueFrom.FieldRef.FieldPath]
		}
		if slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(value, m.MountPath+"/") }) {
			value = filepath.Join(root, value)
		}
		all[v.Name] = value
	}
	return all
}

// run starts the process. It dies with this one; or rather with the thread that started it, which therefore is kept.
func (p *pod) run(binary string, variables map[string]string) error {
	p.command = exec.Command(binary)
	for name, value := range variables {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return err
	}
	p.command.Stderr = p.command.Stdout
	started := make(chan error)
	go func() {
		defer close(p.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err != nil {
			return
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, line{time.Now(), lines.Text()})
			p.mu.Unlock()
		}
		_ = p.command.Wait()
	}()
	return <-started
}

// await waits until a port is listened on.
func (p *pod) await(port string) error {
	if port == "" {
		return nil
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for limit := time.After(patience); ; {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-look.C:
		case <-p.done:
			return fmt.Errorf("echo-basic ended: %s", p.log(time.Time{}))
		case <-limit:
			return fmt.Errorf("echo-basic does not listen on %s: %w", port, err)
		}
	}
}

// forward passes connections on, and their resets, which retries are about.
func (p *pod) forward(from, to string) error {
	door, err := net.Listen("tcp", from)
	if err != nil {
		return err
	}
	p.doors = append(p.doors, door)
	go func() {
		for {
			outer, err := door.Accept()
			if err != nil {
				return
			}
			inner, err := net.Dial("tcp", to)
			if err != nil {
				reset(outer)
				continue
			}
			go pass(outer, inner)
			go pass(inner, outer)
		}
	}()
	return nil
}

// pass copies one direction. The end of it is passed on as an end, and a reset as a reset.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); errors.Is(err, syscall.ECONNRESET) {
		reset(to)
		return
	}
	_ = to.(*net.TCPConn).CloseWrite()
	_ = from.(*net.TCPConn).CloseRead()
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// log returns what a pod printed since a time.
func (p *pod) log(since time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.lines {
		if !l.at.Before(since) {
			b.WriteString(l.text + "\n")
		}
	}
	return b.String()
}

func (k *kubelet) find(name types.NamespacedName) *pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pods[name]
}

func (k *kubelet) stop(name types.NamespacedName) {
	p := k.find(name)
	if p == nil {
		return
	}
	k.mu.Lock()
	delete(k.pods, name)
	k.mu.Unlock()
	for _, door := range p.doors {
		_ = door.Close()
	}
	_ = p.command.Process.Kill()
	<-p.done
}

// logs returns a clientset of which the logs of pods can be asked, and nothing else.
func (k *kubelet) logs(t *testing.T) kubernetes.Interface {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/{namespace}/pods/{pod}/log", func(w http.ResponseWriter, r *http.Request) {
		p := k.find(types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")})
		if p == nil {
			http.NotFound(w, r)
			return
		}
		since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("sinceTime"))
		_, _ = io.WriteString(w, p.log(since))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	set, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return set
}
