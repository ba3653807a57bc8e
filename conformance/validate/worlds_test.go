package validate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"golang.org/x/tools/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

func settings(standalone input.Mode) input.Settings {
	s := input.Settings{Controller: "cloverleaf.dev/gateway", Standalone: standalone, Bind: "127.0.0.1", AccessLog: input.On}
	if standalone == input.On {
		s.PortOffset = 10000
	}
	return s
}

// translate returns what every class of proxies is told of some objects.
func translate(t *testing.T, name string, s input.Settings, objects []metav1.Object) []world {
	t.Helper()
	table := memo.New()
	st := store.New(table, s)
	for _, o := range objects {
		st.Put(o)
	}
	delta := translator.NewEvaluator(table).Refresh()
	for _, f := range delta.Faults {
		t.Errorf("%s: %v", name, f)
	}
	classes := map[ir.ProxyClass]map[ir.ResourceID]*ir.Resource{}
	for _, ch := range delta.Resources {
		if classes[ch.Class] == nil {
			classes[ch.Class] = map[ir.ResourceID]*ir.Resource{}
		}
		if ch.Resource != nil {
			classes[ch.Class][ch.ID] = ch.Resource
		}
	}
	var worlds []world
	for class, resources := range classes {
		worlds = append(worlds, newWorld(t, name+", "+class.String(), resources))
	}
	return worlds
}

// decoder is one for all tests: it compiles the schemas once.
var decoder = manifest.NewDecoder()

func decode(t *testing.T, name, text string) []metav1.Object {
	t.Helper()
	file := decoder.Decode(name, []byte(text))
	for _, p := range file.Problems {
		t.Fatalf("%s: %s", name, p)
	}
	var objects []metav1.Object
	for _, o := range file.Objects {
		objects = append(objects, o.Value)
	}
	return objects
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cases translates the objects of golden cases, each beside the folder's base.yaml.
func cases(t *testing.T, folder string, fill func(string) string) []world {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", folder, err)
	}
	base := decode(t, "base.yaml", fill(read(t, filepath.Join(folder, "base.yaml"))))
	var worlds []world
	for _, file := range files {
		objects := base
		standalone := input.On
		for _, section := range txtar.Parse([]byte(read(t, file))).Files {
			switch section.Name {
			case "objects.yaml":
				objects = append(objects[:len(base):len(base)], decode(t, file, fill(string(section.Data)))...)
			case "settings":
				standalone = input.Off
			}
		}
		worlds = append(worlds, translate(t, file, settings(standalone), objects)...)
	}
	return worlds
}

func pairs(t *testing.T) []worldgen.Pair {
	t.Helper()
	ca, err := localca.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var list []worldgen.Pair
	for range 2 {
		cert, key, err := ca.Leaf([]string{"a.example.com"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, worldgen.Pair{Cert: cert, Key: key})
	}
	return list
}

func TestEnvoyTakesEveryGoldenCase(t *testing.T) {
	pair := pairs(t)[0]
	fill := strings.NewReplacer("$PAIR", fmt.Sprintf("{tls.crt: %q, tls.key: %q}", pair.Cert, pair.Key))
	check(t, "worlds of golden cases", cases(t, "../../translator/testdata", fill.Replace))
}

func TestEnvoyTakesEveryDataPlaneCase(t *testing.T) {
	pair, ports := pairs(t)[0], map[string]string{}
	for i, name := range casefile.Backends() {
		ports[name] = strconv.Itoa(27401 + i)
	}
	authorities := map[string]string{"authority": string(pair.Cert), "stranger": string(pair.Cert)}
	filled := map[string][2][]byte{}
	for _, name := range casefile.Pairs() {
		filled[name] = [2][]byte{pair.Cert, pair.Key}
	}
	fill := func(objects string) string { return casefile.Fill(objects, ports, authorities, filled) }
	check(t, "worlds of data-plane cases", cases(t, "../dataplane/testdata", fill))
}

func TestEnvoyTakesTheExamples(t *testing.T) {
	folders, err := filepath.Glob("../../examples/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no examples")
	}
	var worlds []world
	for _, folder := range folders {
		files, _ := filepath.Glob(filepath.Join(folder, "*.yaml"))
		var objects []metav1.Object
		for _, file := range files {
			objects = append(objects, decode(t, file, read(t, file))...)
		}
		worlds = append(worlds, translate(t, folder, settings(input.On), objects)...)
	}
	check(t, "worlds of examples", worlds)
}

func TestEnvoyTakesRandomWorlds(t *testing.T) {
	material := pairs(t)
	var worlds []world
	for seed := range uint64(250) {
		maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: rand.New(rand.NewPCG(seed, 27))}, Pairs: material}
		newest := map[ir.Ref]metav1.Object{}
		for range 150 {
			o, ref := maker.Object()
			newest[ref] = o
		}
		var objects []metav1.Object
		for _, o := range newest {
			objects = append(objects, o)
		}
		worlds = append(worlds, translate(t, fmt.Sprintf("seed %d", seed), settings(input.Mode(seed%2)), objects)...)
	}
	check(t, "random worlds", worlds)
}

// TestEnvoyTakesRoutesWithOddValues tries routes that the API's schema lets through, whatever their values.
func TestEnvoyTakesRoutesWithOddValues(t *testing.T) {
	schemas, base := worldgen.NewSchemas(), worldgen.Base(pairs(t)[0])
	maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: rand.New(rand.NewPCG(1, 27))}}
	var worlds []world
	for len(worlds) < 300 {
		objects := base
		for i := range 4 {
			if r, valid := schemas.HTTPRoute(maker.WideHTTPRoute(fmt.Sprintf("r%d", i))); valid {
				objects = append(slices.Clip(objects), r)
			}
		}
		if len(objects) > len(base) {
			worlds = append(worlds, translate(t, fmt.Sprintf("odd %d", len(worlds)), settings(input.On), objects)...)
		}
	}
	check(t, "worlds with odd values", worlds)
}

// TestARefusedWorldIsFoundAmongOthers: these tests can fail.
func TestARefusedWorldIsFoundAmongOthers(t *testing.T) {
	worlds := translate(t, "good", settings(input.On), worldgen.Base(pairs(t)[0]))
	for i := range 6 {
		next := worlds[0]
		next.name = fmt.Sprintf("world %d", i)
		if i == 4 {
			next.tables = map[string]*routev3.RouteConfiguration{}
			for name := range worlds[0].tables {
				next.tables[name] = &routev3.RouteConfiguration{Name: name, RequestHeadersToRemove: []string{"host"}}
			}
		}
		worlds = append(worlds, next)
	}
	found := refused(t, worlds, static)
	if len(found) != 1 || found[0].thing.name != "world 4" || !strings.Contains(found[0].err.Error(), "host headers may not be removed") {
		t.Errorf("found %+v", found)
	}
}
