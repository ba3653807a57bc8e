package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// metadataNamespace holds, under resourcesKey, where a virtual host or route came from, so that any config dump can be read
// back to YAML.
const (
	metadataNamespace = "cloverleaf.dev"
	resourcesKey      = "resources"
)

// Numbers of the fields that origins are encoded in (envoy/config/core/v3/base.proto, google/protobuf/struct.proto).
const (
	filterMetadata protowire.Number = 1 // of Metadata, a map
	structFields   protowire.Number = 1 // of Struct, a map
	listValues     protowire.Number = 1 // of ListValue
	mapKey         protowire.Number = 1 // of an entry of a map
	mapValue       protowire.Number = 2
	stringValue    protowire.Number = 3 // of Value
	structValue    protowire.Number = 5
	listValue      protowire.Number = 6
)

// originMetadata says which objects something was made of. Every route carries it, and as maps of values it was more
// than half of what encoding a route costs. So it is encoded here by hand, as the library would with sorted keys: sizes
// first, then bytes. It stands in the message as bytes that the library passes on.
func originMetadata(origins []ir.Origin) *corev3.Metadata {
	if len(origins) == 0 {
		return nil
	}
	list := 0
	for i := range origins {
		list += sizeField(listValues, sizeField(structValue, sizeOrigin(&origins[i])))
	}
	value := sizeField(listValue, list)
	resources := sizeField(structFields, sizeEntry(resourcesKey, value))
	entry := sizeEntry(metadataNamespace, resources)
	b := make([]byte, 0, sizeField(filterMetadata, entry))
	b = appendEntry(appendHeader(b, filterMetadata, entry), metadataNamespace, resources)
	b = appendEntry(appendHeader(b, structFields, sizeEntry(resourcesKey, value)), resourcesKey, value)
	b = appendHeader(b, listValue, list)
	for i := range origins {
		b = appendOrigin(b, &origins[i])
	}
	m := &corev3.Metadata{}
	m.ProtoReflect().SetUnknown(b)
	return m
}

// fieldsOf lists the fields of an origin by name, and tells how many there are.
func fieldsOf(o *ir.Origin) (fields [4][2]string, n int) {
	n = len(fields)
	if o.Section == "" {
		n--
	}
	return [...][2]string{
		{"kind", string(o.Kind)}, {"name", o.Name.Name}, {"namespace", o.Namespace}, {"section", o.Section},
	}, n
}

func sizeOrigin(o *ir.Origin) int {
	size := 0
	fields, n := fieldsOf(o)
	for _, f := range fields[:n] {
		size += sizeField(structFields, sizeEntry(f[0], sizeField(stringValue, len(f[1]))))
	}
	return size
}

// appendOrigin adds a Value to a list that is the Struct of an origin.
func appendOrigin(b []byte, o *ir.Origin) []byte {
	size := sizeOrigin(o)
	b = appendHeader(appendHeader(b, listValues, sizeField(structValue, size)), structValue, size)
	fields, n := fieldsOf(o)
	for _, f := range fields[:n] {
		value := sizeField(stringValue, len(f[1]))
		b = appendEntry(appendHeader(b, structFields, sizeEntry(f[0], value)), f[0], value)
		b = protowire.AppendString(protowire.AppendTag(b, stringValue, protowire.BytesType), f[1])
	}
	return b
}

// sizeField is the size of a field whose content has a size.
func sizeField(number protowire.Number, content int) int {
	return protowire.SizeTag(number) + protowire.SizeBytes(content)
}

// sizeEntry is the size of an entry of a map whose value has a size.
func sizeEntry(key string, value int) int {
	return sizeField(mapKey, len(key)) + sizeField(mapValue, value)
}

// appendHeader begins a field whose content has a size.
func appendHeader(b []byte, number protowire.Number, content int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(content)) //nolint:gosec // a length
}

// appendEntry begins an entry of a map whose value has a size.
func appendEntry(b []byte, key string, value int) []byte {
	b = protowire.AppendString(protowire.AppendTag(b, mapKey, protowire.BytesType), key)
	return appendHeader(b, mapValue, value)
}

// Origins reads back the objects that the metadata of a resource or route names.
func Origins(m *corev3.Metadata) []ir.Origin {
	var out []ir.Origin
	for _, v := range m.GetFilterMetadata()[metadataNamespace].GetFields()[resourcesKey].GetListValue().GetValues() {
		text := func(field string) string { return v.GetStructValue().GetFields()[field].GetStringValue() }
		out = append(out, ir.Origin{
			Ref:     ir.Ref{Kind: ir.Kind(text("kind")), Name: ir.Name{Namespace: text("namespace"), Name: text("name")}},
			Section: text("section"),
		})
	}
	return out
}
