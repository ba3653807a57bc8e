package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// metadataNamespace holds where a virtual host or route came from, so that any config dump can be read back to YAML.
const metadataNamespace = "cloverleaf.dev"

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
// than half of what encoding a route costs. So it is encoded here by hand, as the library would with sorted keys, and
// stands in the message as bytes that the library passes on.
func originMetadata(origins []ir.Origin) *corev3.Metadata {
	if len(origins) == 0 {
		return nil
	}
	var list []byte
	for i := range origins {
		list = appendField(list, listValues, origin(&origins[i]))
	}
	resources := appendField(nil, structFields, entry("resources", appendField(nil, listValue, list)))
	m := &corev3.Metadata{}
	m.ProtoReflect().SetUnknown(appendField(nil, filterMetadata, entry(metadataNamespace, resources)))
	return m
}

// origin encodes a Value that is the Struct of one origin.
func origin(o *ir.Origin) []byte {
	fields := make([]byte, 0, 96+len(o.Kind)+len(o.Name.Name)+len(o.Namespace)+len(o.Section))
	fields = appendString(fields, "kind", string(o.Kind))
	fields = appendString(fields, "name", o.Name.Name)
	fields = appendString(fields, "namespace", o.Namespace)
	if o.Section != "" {
		fields = appendString(fields, "section", o.Section)
	}
	return appendField(nil, structValue, fields)
}

// appendString adds a field of a Struct that is a string.
func appendString(b []byte, key, value string) []byte {
	content := protowire.SizeTag(stringValue) + protowire.SizeBytes(len(value))
	size := protowire.SizeTag(mapKey) + protowire.SizeBytes(len(key)) + protowire.SizeTag(mapValue) + protowire.SizeBytes(content)
	b = protowire.AppendVarint(protowire.AppendTag(b, structFields, protowire.BytesType), uint64(size)) //nolint:gosec // a length
	b = protowire.AppendString(protowire.AppendTag(b, mapKey, protowire.BytesType), key)
	b = protowire.AppendVarint(protowire.AppendTag(b, mapValue, protowire.BytesType), uint64(content)) //nolint:gosec // a length
	return protowire.AppendString(protowire.AppendTag(b, stringValue, protowire.BytesType), value)
}

// entry encodes an entry of a map whose values are messages.
func entry(key string, value []byte) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, mapKey, protowire.BytesType), key)
	return appendField(b, mapValue, value)
}

func appendField(b []byte, number protowire.Number, content []byte) []byte {
	if b == nil {
		b = make([]byte, 0, protowire.SizeTag(number)+protowire.SizeBytes(len(content)))
	}
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), content)
}
