package manifest

import (
	"slices"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	apivalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	sjson "sigs.k8s.io/json"

	"github.com/cloverleaf-mesh/cloverleaf/config/schema"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// reader reads one document.
type reader struct {
	doc     *document
	schemas *schema.Set
	nodes   *yamlnode.Node // keeps them for the next problem
}

func (r *reader) problem(f finding.Finding, line, column int) {
	r.doc.problems = append(r.doc.problems, located{f, line, column})
}

// report adds a finding at the place of its field.
func (r *reader) report(item item, code finding.Code, path string, args ...any) {
	r.nodes = r.doc.tree()
	line, column := r.doc.find(strings.Trim(item.prefix+"."+path, "."))
	r.problem(finding.New(code, item.ref, path, args...), line, column)
}

// item is an object on its way: the document itself, or an entry of a List.
type item struct {
	ref    ir.Ref
	prefix string
	fields map[string]any
	bad    bool
}

func (r *reader) read(text string) {
	fields := r.parse(text)
	if fields == nil {
		return
	}
	if fields["kind"] == "List" && fields["apiVersion"] == "v1" {
		items, _ := fields["items"].([]any)
		for i, entry := range items {
			if m, ok := entry.(map[string]any); ok {
				r.object(item{prefix: "items[" + strconv.Itoa(i) + "]", fields: m})
			}
		}
		return
	}
	r.object(item{fields: fields})
}

// object reads one object whose kind is not known yet.
func (r *reader) object(it item) {
	version, _ := it.fields["apiVersion"].(string)
	kind, _ := it.fields["kind"].(string)
	gvk := runtimeschema.FromAPIVersionAndKind(version, kind)
	k, known := kindOf(gvk)
	if !known {
		r.unknownKind(it, gvk)
		return
	}
	it.ref.Kind = k.kind
	if !r.name(&it, k) {
		return
	}
	var value metav1.Object
	if k.core {
		value = r.core(&it, k)
	} else {
		value = r.custom(&it, k, gvk)
	}
	if it.bad || value == nil {
		r.doc.broken = append(r.doc.broken, it.ref)
		return
	}
	r.doc.objects = append(r.doc.objects, parsed{ref: it.ref, value: value, prefix: it.prefix})
}

func (r *reader) unknownKind(it item, gvk runtimeschema.GroupVersionKind) {
	switch {
	case gvk.Kind == "" || gvk.Version == "":
		r.doc.unnamed = true
		r.report(it, finding.FieldInvalid, "", "apiVersion and kind must be given")
	case isOurGroup(gvk.Group):
		r.report(it, finding.KindUnknown, "kind", gvk.GroupVersion().String()+" "+gvk.Kind, strings.Join(kindNames(gvk.Group), ", "))
	default:
		r.report(it, finding.KindIgnored, "kind", gvk.GroupVersion().String()+" "+gvk.Kind)
	}
}

// name reads name and namespace. A namespaced object without one is in "default", as kubectl has it.
func (r *reader) name(it *item, k kind) bool {
	metadata, _ := it.fields["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	if k.namespaced && namespace == "" {
		namespace = metav1.NamespaceDefault
		if metadata != nil {
			metadata["namespace"] = namespace
		}
	}
	if !k.namespaced && namespace != "" {
		delete(metadata, "namespace")
		namespace = ""
	}
	it.ref.Name = ir.Name{Namespace: namespace, Name: name}
	problem := ""
	switch errs := apivalidation.IsDNS1123Subdomain(name); {
	case name == "":
		problem = "must be given"
	case len(errs) > 0:
		problem = strconv.Quote(name) + " is invalid: " + errs[0]
	}
	if errs := apivalidation.IsDNS1123Label(namespace); namespace != "" && len(errs) > 0 {
		problem = "is in an invalid namespace " + strconv.Quote(namespace) + ": " + errs[0]
	}
	if problem == "" {
		return true
	}
	r.doc.unnamed = r.doc.unnamed || name == ""
	it.ref.Name = ir.Name{}
	r.report(*it, finding.NameMissing, "metadata.name", problem)
	return false
}

// custom reads an object of a kind with a CRD.
func (r *reader) custom(it *item, k kind, gvk runtimeschema.GroupVersionKind) metav1.Object {
	v := r.schemas.For(gvk)
	for _, path := range v.Unknown(it.fields) {
		it.bad = true
		r.report(*it, finding.FieldUnknown, path, lastStep(path), suggest(v, path))
	}
	delete(it.fields, "status") // what a cluster wrote is nobody's wish
	v.Default(it.fields)
	for _, e := range v.Check(it.fields) {
		it.bad = true
		r.invalid(it, e)
	}
	if it.bad {
		return nil
	}
	value := k.make()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(it.fields, value, false); err != nil {
		it.bad = true
		r.report(*it, finding.FieldType, "", err.Error())
		return nil
	}
	return value
}

// invalid reports an error of the API server's libraries in their words, without the field, which stands beside them.
func (r *reader) invalid(it *item, e *field.Error) {
	code := finding.FieldInvalid
	message := e.ErrorBody()
	switch {
	case e.Type == field.ErrorTypeTypeInvalid:
		code = finding.FieldType
	case e.Type == field.ErrorTypeInvalid && isRule(e):
		code, message = finding.RuleBroken, e.Detail
	}
	path := e.Field
	if path == "<nil>" {
		path = ""
	}
	r.report(*it, code, path, message)
}

// isRule tells errors of CEL rules from those of the OpenAPI schema, which quote their value and say "in body".
func isRule(e *field.Error) bool { return e.Origin == "" && !strings.Contains(e.Detail, "in body") }

func lastStep(path string) string {
	all := steps(path)
	return all[len(all)-1]
}

// suggest finds a field whose name is close to an unknown one.
func suggest(v *schema.Validator, path string) string {
	var parents []string
	for _, s := range steps(path) {
		if _, err := strconv.Atoi(s); err != nil {
			parents = append(parents, s)
		}
	}
	name := parents[len(parents)-1]
	names := v.Properties(parents[:len(parents)-1])
	best, least := "", 3
	for _, n := range names {
		if d := distance(strings.ToLower(n), strings.ToLower(name)); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(best) + "?"
}

// distance is the number of letters to insert, remove or change between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// core reads an object of a built-in kind, strictly.
func (r *reader) core(it *item, k kind) metav1.Object {
	delete(it.fields, "status")
	raw, err := marshal(it.fields)
	if err != nil {
		it.bad = true
		r.report(*it, finding.FieldType, "", err.Error())
		return nil
	}
	value := k.make()
	strict, err := sjson.UnmarshalStrict(raw, value)
	if err != nil {
		it.bad = true
		path, message := typeError(err)
		r.report(*it, finding.FieldType, path, message)
		return nil
	}
	for _, e := range strict {
		it.bad = true
		path := fieldPath(e)
		r.report(*it, finding.FieldUnknown, path, lastStep(path), "")
	}
	errs := k.check(value)
	slices.SortStableFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
	for _, e := range errs {
		it.bad = true
		r.report(*it, finding.FieldInvalid, e.Field, e.ErrorBody())
	}
	return value
}
