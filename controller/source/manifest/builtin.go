package manifest

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sjson "sigs.k8s.io/json"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// builtin reads an object of a built-in kind, which has no schema but the Go type.
func (r *reader) builtin(it *item, k kind) metav1.Object {
	value := k.make()
	if !r.strictly(it, "", it.fields, value) {
		return nil
	}
	for _, e := range k.check(value) {
		r.invalid(it, finding.FieldInvalid, e)
	}
	return value
}

// strictly decodes fields, as strictly as an API server does, and reports those that do not exist and those of another
// type. It tells whether the value can be looked at further.
func (r *reader) strictly(it *item, path string, fields map[string]any, into any) bool {
	raw, err := json.Marshal(fields)
	if err != nil {
		r.refuse(it, finding.FieldType, path, err.Error())
		return false
	}
	unknown, err := sjson.UnmarshalStrict(raw, into)
	at := func(p string) string { return strings.Trim(path+"."+p, ".") }
	if err != nil {
		wrong := mistyped(fields, reflect.TypeOf(into), "")
		for _, w := range wrong {
			r.refuse(it, finding.FieldType, at(w.path), w.message)
		}
		if len(wrong) == 0 {
			r.refuse(it, finding.FieldType, path, strings.TrimPrefix(err.Error(), "json: "))
		}
		return false
	}
	for _, e := range unknown {
		p := fieldPath(e)
		if path == "" && strings.HasPrefix(p, "metadata.") {
			continue // said when metadata was read
		}
		parents, last := cut(p)
		r.refuse(it, finding.FieldUnknown, at(p), last, suggest(last, properties(reflect.TypeOf(into), parents)))
	}
	return true
}

// fieldPath returns the field that a strict decoder's error is about.
func fieldPath(err error) string {
	if e, ok := errors.AsType[sjson.FieldError](err); ok {
		return e.FieldPath()
	}
	return err.Error()
}

// wrongType is a value of another type than its field.
type wrongType struct{ path, message string }

// mistyped compares a value with the Go type that it should be decoded into. A decoder stops at the first that is wrong,
// and does not know the indexes and keys that lead to it.
func mistyped(value any, t reflect.Type, path string) []wrongType {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := value.(type) {
	case nil:
		return nil // null is as good as nothing
	case map[string]any:
		if t.Kind() == reflect.Map || t.Kind() == reflect.Struct && !decodesItself(t) {
			return mistypedFields(v, t, path)
		}
	case []any:
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			var all []wrongType
			for i, entry := range v {
				all = append(all, mistyped(entry, t.Elem(), path+"["+strconv.Itoa(i)+"]")...)
			}
			return all
		}
	}
	raw, err := json.Marshal(value)
	if err == nil {
		err = sjson.UnmarshalCaseSensitivePreserveInts(raw, reflect.New(t).Interface())
	}
	if err == nil {
		return nil
	}
	return []wrongType{{path, wanted(value, t, err)}}
}

func mistypedFields(fields map[string]any, t reflect.Type, path string) (all []wrongType) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if t.Kind() == reflect.Map {
			all = append(all, mistyped(fields[name], t.Elem(), path+"["+name+"]")...)
		} else if f, ok := fieldsOf(t)[name]; ok {
			all = append(all, mistyped(fields[name], f, strings.Trim(path+"."+name, "."))...)
		}
	}
	return all
}

func decodesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// wanted says what a value should have been.
func wanted(value any, t reflect.Type, err error) string {
	is := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Float64: "number", reflect.Float32: "number",
		reflect.Map: "object", reflect.Interface: "string", reflect.Struct: "object", reflect.Slice: "array", reflect.Int64: "integer",
	}
	got := is[reflect.TypeOf(value).Kind()]
	_, isText := value.(string)
	switch {
	case decodesItself(t):
		return "invalid " + t.Name() + ": " + strings.TrimPrefix(err.Error(), "json: ")
	case t == reflect.TypeFor[[]byte]() && isText:
		return "must be base64 (" + err.Error() + "); the plain text of a Secret goes into stringData"
	case t.ConvertibleTo(reflect.TypeFor[int64]()) && (got == "integer" || got == "number"):
		return "must be an integer of " + strconv.Itoa(t.Bits()) + " bits"
	case t.ConvertibleTo(reflect.TypeFor[int64]()):
		return "must be an integer, not " + typeName(got)
	case t.Kind() == reflect.String && got != "object" && got != "array":
		return "must be a string, not " + typeName(got) + "; put it in quotes"
	default:
		return "must be " + typeName(is[t.Kind()]) + ", not " + typeName(got)
	}
}

// fieldsOf returns the types of a struct's fields by their names in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name != "":
			all[name] = f.Type
		case f.Anonymous || strings.Contains(options, "inline"):
			maps.Copy(all, fieldsOf(f.Type))
		}
	}
	return all
}

// properties returns the names of the fields below a path of names.
func properties(t reflect.Type, path []string) []string {
	for {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			t = t.Elem()
		case reflect.Map:
			if len(path) == 0 {
				return nil
			}
			t, path = t.Elem(), path[1:]
		case reflect.Struct:
			if len(path) == 0 {
				return slices.Sorted(maps.Keys(fieldsOf(t)))
			}
			next, ok := fieldsOf(t)[path[0]]
			if !ok {
				return nil
			}
			t, path = next, path[1:]
		default:
			return nil
		}
	}
}
