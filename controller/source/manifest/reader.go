package manifest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

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

// refuse reports a finding that keeps an object from being used.
func (r *reader) refuse(it *item, code finding.Code, path string, args ...any) {
	it.bad = true
	r.report(*it, code, path, args...)
}

func (r *reader) read(text string) {
	if fields := r.parse(text); fields != nil {
		r.item(item{fields: fields})
	}
}

// item reads an object, or each object of a List: "kind: List" as kubectl writes it, or "kind: ServiceList" as an API
// server does, whose items may leave out what they are.
func (r *reader) item(it item) {
	version, _ := it.fields["apiVersion"].(string)
	kind, _ := it.fields["kind"].(string)
	entries, listed := it.fields["items"].([]any)
	of, isList := strings.CutSuffix(kind, "List")
	if !isList || !listed && kind != "List" {
		r.object(it, runtimeschema.FromAPIVersionAndKind(version, kind))
		return
	}
	if it.fields["items"] != nil && !listed {
		r.report(it, finding.FieldType, "items", "must be a list")
	}
	for i, entry := range entries {
		path := "items[" + strconv.Itoa(i) + "]"
		fields, ok := entry.(map[string]any)
		if !ok {
			r.doc.unnamed = true
			r.report(it, finding.FieldType, path, "must be an object")
			continue
		}
		if of != "" && fields["kind"] == nil && fields["apiVersion"] == nil {
			fields["kind"], fields["apiVersion"] = of, version
		}
		r.item(item{prefix: strings.Trim(it.prefix+"."+path, "."), fields: fields})
	}
}

// object reads one object.
func (r *reader) object(it item, gvk runtimeschema.GroupVersionKind) {
	k, known := kindOf(gvk)
	if !known {
		r.unknownKind(it, gvk)
		return
	}
	it.ref.Kind = k.kind
	if problem := name(&it, k); problem != "" {
		r.doc.unnamed = true
		r.report(it, finding.NameMissing, "metadata.name", problem)
		return
	}
	delete(it.fields, "status") // what a cluster wrote is nobody's wish
	r.metadata(&it, k)
	var value metav1.Object
	if k.core {
		value = r.builtin(&it, k)
	} else {
		value = r.custom(&it, k, gvk)
	}
	if it.bad {
		r.doc.broken = append(r.doc.broken, it.ref)
		if k.guard == nil {
			return
		}
		if closed := k.guard(it.ref.Name, it.fields); closed != nil {
			r.doc.closed = append(r.doc.closed, parsed{ref: it.ref, value: closed, prefix: it.prefix})
		}
		return
	}
	r.doc.objects = append(r.doc.objects, parsed{ref: it.ref, value: value, prefix: it.prefix})
}

// unknownKind says what is to be said of a kind that is not read: nothing much of somebody else's, and that it is a
// mistake of one that was probably meant for us. Then the object that was meant is broken, not gone.
func (r *reader) unknownKind(it item, gvk runtimeschema.GroupVersionKind) {
	called := strings.TrimSpace(gvk.GroupVersion().String() + " " + gvk.Kind)
	meant, near := closest(gvk)
	switch {
	case gvk.Kind == "" || gvk.Version == "":
		r.doc.unnamed = true
		r.report(it, finding.FieldInvalid, "", "apiVersion and kind must be given")
	case notYet(gvk.GroupKind()):
		r.report(it, finding.KindUnsupported, "kind", called)
	case near:
		r.report(it, finding.KindUnknown, "kind", called, "did you mean "+meant.groups[0]+" "+string(meant.kind)+"?")
		it.ref.Kind = meant.kind
		if name(&it, meant) != "" {
			r.doc.unnamed = true
			return
		}
		r.doc.broken = append(r.doc.broken, it.ref)
	case isOurGroup(gvk.Group):
		r.report(it, finding.KindUnknown, "kind", called, knownIn(gvk.Group))
	default:
		r.report(it, finding.KindIgnored, "kind", called)
	}
}

// name reads an object's name and namespace, and says what is wrong with them. A namespaced object without one is in
// "default", as kubectl has it, and a cluster-scoped one loses it, as an API server has it.
func name(it *item, k kind) (problem string) {
	metadata, _ := it.fields["metadata"].(map[string]any)
	called, isText := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	switch {
	case metadata["name"] == nil || isText && called == "":
		return "must be given"
	case !isText:
		return "must be text; put it in quotes"
	}
	if k.namespaced && namespace == "" {
		namespace = metav1.NamespaceDefault
		metadata["namespace"] = namespace
	}
	if !k.namespaced {
		delete(metadata, "namespace")
		namespace = ""
	}
	if errs := k.name(called, false); len(errs) > 0 {
		return strconv.Quote(called) + " is invalid: " + errs[0]
	}
	if errs := validation.IsDNS1123Label(namespace); namespace != "" && len(errs) > 0 {
		return "is in a namespace with an invalid name, " + strconv.Quote(namespace) + ": " + errs[0]
	}
	it.ref.Name = ir.Name{Namespace: namespace, Name: called}
	return ""
}

// metadata reads metadata as an API server does, strictly and whatever the kind. What is wrong with it is reported, and
// then left out, so that the rest can be looked at.
func (r *reader) metadata(it *item, k kind) {
	var meta metav1.ObjectMeta
	fields, _ := it.fields["metadata"].(map[string]any)
	if !r.strictly(it, "metadata", fields, &meta) {
		meta = metav1.ObjectMeta{}
		it.fields["metadata"] = map[string]any{"name": it.ref.Name.Name, "namespace": it.ref.Namespace}
		if !k.namespaced {
			delete(it.fields["metadata"].(map[string]any), "namespace") //nolint:forcetypeassert // just made
		}
		return
	}
	named := func(string, bool) []string { return nil } // name saw to that
	for _, e := range apivalidation.ValidateObjectMeta(&meta, k.namespaced, named, field.NewPath("metadata")) {
		r.invalid(it, finding.FieldInvalid, e)
	}
}

// custom reads an object of a kind with a CRD.
func (r *reader) custom(it *item, k kind, gvk runtimeschema.GroupVersionKind) metav1.Object {
	v := r.schemas.For(gvk)
	for _, path := range v.Unknown(it.fields) {
		parents, last := cut(path)
		r.refuse(it, finding.FieldUnknown, path, last, suggest(last, v.Properties(parents)))
	}
	v.Default(it.fields)
	structure, rules := v.Check(it.fields)
	for _, e := range structure {
		r.invalid(it, finding.FieldInvalid, e)
	}
	for _, e := range rules {
		r.invalid(it, finding.RuleBroken, e)
	}
	if it.bad {
		return nil
	}
	value := k.make()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(it.fields, value, false); err != nil {
		r.refuse(it, finding.FieldType, "", err.Error())
		return nil
	}
	return value
}

var (
	inBody     = regexp.MustCompile(`\S+ in body `)
	typeInBody = regexp.MustCompile(`must be of type (\w+): "(\w+)"$`)
)

// invalid reports an error of the API server's libraries in their words, without the field, which stands beside them.
func (r *reader) invalid(it *item, code finding.Code, e *field.Error) {
	message := inBody.ReplaceAllString(e.ErrorBody(), "")
	if m := typeInBody.FindStringSubmatch(message); m != nil && e.Type == field.ErrorTypeTypeInvalid {
		code, message = finding.FieldType, fmt.Sprintf("must be %s, not %s", typeName(m[1]), typeName(m[2]))
	}
	if code == finding.RuleBroken && e.Type == field.ErrorTypeInvalid {
		message = e.Detail // the rule's message; the value is the whole object
	}
	path := e.Field
	if path == "<nil>" {
		path = ""
	}
	r.refuse(it, code, path, message)
}

// typeName returns the name of a type, of OpenAPI or of JSON, in a sentence.
func typeName(name string) string {
	switch name {
	case "integer", "object", "array":
		return "an " + name
	default:
		return "a " + name
	}
}
