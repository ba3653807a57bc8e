package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// measureUp drives the real binary with a real Envoy on a folder: all routes but the edited one in one file, as the peer
// was measured, and a file for each route.
func measureUp(ctx context.Context, r *report, n int) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := updriver.Build(dir)
	if err != nil {
		return err
	}
	var found []*driven
	for _, pack := range []bool{true, false} {
		got, err := driveUp(ctx, binary, dir, n, pack)
		if err != nil {
			return fmt.Errorf("packed %t: %w", pack, err)
		}
		found = append(found, got)
		name := map[bool]string{true: "one packed file", false: "a file for each route"}[pack]
		r.gate(fmt.Sprintf("up, %d routes, %s: xDS of a header edit", n, name), got.Headers.Wire.median(), mostWire/kB, "kB")
		r.gate(fmt.Sprintf("up, %d routes, %s: answers that are not 200", n, name), float64(got.Start.Bad+got.Load.Bad), 0, "")
	}
	t := table{
		Title: fmt.Sprintf("`cloverleaf up` with Envoy on a folder of %d routes", n),
		Head:  []string{"what", "packed, one hot", "a file for each route", "peer, packed, one hot, 5000 routes, recorded earlier"},
	}
	files := found[1].rows()
	for i, row := range found[0].rows() {
		t.Rows = append(t.Rows, []string{row[0], row[1], files[i][1], recorded[row[0]]})
	}
	r.add(t)
	return nil
}

// recorded is what this program's forerunner found of Envoy Gateway v1.9.1, standalone, with schema validation and the
// reading of unchanged files taken out, on a machine of the same class. It is not measured in this run.
var recorded = map[string]string{
	"start, until the last route answered, s": "59 to 65",
	"start, CPU s":                            "29 to 33",
	"start, xDS bytes":                        "12.6 MB",
	"start, allocated":                        "8.0 GB",
	"header edit, CPU ms":                     "3038 [2212-3929]",
	"header edit, kB allocated":               "300000",
	"header edit, kB of xDS":                  "3320",
	"header edit, ms until live":              "8362 and 4653 [3241-25165]",
	"header edit, Envoy's main thread ms":     "462 [241-2742]",
	"backend edit, CPU ms":                    "2622 [2286-3002]",
	"backend edit, kB allocated":              "289000",
	"backend edit, kB of xDS":                 "3.99",
	"backend edit, ms until live":             "3482 [2899-3862]",
	"backend edit, Envoy's main thread ms":    "59 [1.6-357]",
	"nothing happens, CPU in parts of a core": "under 0.0003",
	"backend edits under load, without a 200": "0",
}

func driveUp(ctx context.Context, binary, dir string, n int, pack bool) (*driven, error) {
	ports, err := freePorts(ctx, 4)
	if err != nil {
		return nil, err
	}
	run, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	admin := fmt.Sprintf("127.0.0.1:%d", ports[3])
	d := &drive{
		folder: folder{
			dir: filepath.Join(run, "gateway"), n: n, pack: pack, hot: 1, backends: 2, kind: "Service", controller: controller,
			ports: [2]int{ports[1], ports[2]},
		},
		envoyComm: "envoy", pprof: "http://" + admin + "/debug/pprof", cluster: "xds",
		admin: "unix:" + filepath.Join(run, "cloverleaf-*", "admin.sock"), log: filepath.Join(run, "log"),
		edits: 12, flips: 10, idle: 40 * time.Second, startLimit: 10 * time.Minute, editLimit: 2 * time.Minute,
	}
	if !pack {
		d.hot = d.edits
	}
	d.start = fmt.Sprintf("TMPDIR=%s exec %s up %s -o json --pprof --admin %s", run, binary, d.dir, admin)
	got, err := d.run(ctx, fmt.Sprintf("127.0.0.1:%d", ports[0]))
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, tailOf(d.log))
	}
	return got, nil
}

// freePorts finds ports above 1024 on which nothing listens.
func freePorts(ctx context.Context, n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		at, err := netip.ParseAddrPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, int(at.Port()))
	}
	return ports, nil
}

// tailOf returns the last lines of a log.
func tailOf(path string) string {
	text, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
