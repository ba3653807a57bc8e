package envoysim

import (
	"strings"
	"testing"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// strict is how our listeners treat paths.
var strict = &hcmv3.HttpConnectionManager{
	NormalizePath: wrapperspb.Bool(true), MergeSlashes: true,
	PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_REJECT_REQUEST,
}

// TestPathsAreNormalisedAsEnvoyDoes: what a backend got from Envoy 1.40 for each of these, "400" for what was refused.
func TestPathsAreNormalisedAsEnvoyDoes(t *testing.T) {
	cases := map[string]string{
		"/":                         "/",
		"//":                        "//", // of nothing but slashes two are left
		"///":                       "//",
		"/a//b":                     "/a/b",
		"/a//?x=//b":                "/a/?x=//b",
		"/a/./b/../c":               "/a/c",
		"/../../a":                  "/a",
		"/a/%2e%2e/c":               "/c",
		"/a/.%2E/c":                 "/c",
		`/a\\..\\b`:                 "/a/b", // backslashes are slashes before dots are resolved, and merged after
		`/a\b`:                      "/a/b",
		"/a%5cb":                    "400",
		"/a%2Fb":                    "400",
		"/a?x=%2Fb":                 "/a?x=%2Fb",
		"/a#b":                      "400",
		"/%00":                      "400",
		"/%01":                      "/%01",
		"/%41%7e%2d%5f%30":          "/A~-_0",
		"/%20%21%22%24%26%27":       "/%20%21%22%24%26%27",
		"/%28%29%2a%2b%2c%2e%3a":    "/%28%29%2a%2b%2c.%3a",
		"/!\"$&'()*+,;<=>@[]^`{|}~": "/!%22$&'()*+,;%3C=%3E@[]%5E%60%7B%7C%7D~",
		"/%e4%F6":                   "/%e4%F6",
		"/%":                        "/%",
		"/%zz":                      "/%zz",
		"/%%34%31":                  "/%2541", // decoding must not make an escape of what was none
		"/%2%35":                    "/%2525",
		"/%%32%65%%32%65/x":         "/%252e%252e/x",
		"/%%35c":                    "/%255c",
		"/%2%46x":                   "/%252Fx",
		"/%%32Fx":                   "/%252Fx",
		"/a/.":                      "/a/",
		"/a/..":                     "/",
		"/a/.b":                     "/a/.b",
		"/a/...b/...":               "/a/...b/...",
		"/a./b..":                   "/a./b..",
		"/a//../b":                  "/a/b",
		"/a/.//..//b":               "/a/b",
		"/x/..;/b":                  "/b", // parameters of plain dot segments are dropped
		"/x/..;":                    "/",
		"/x/..;a/b":                 "/b",
		"/x/.;a=1/b":                "/x/b",
		"/x/..;a;b/../c":            "/c",
		"/x//..;/b":                 "/x/b",
		`/x/..;\b`:                  "/",
		`/x\..;/b`:                  "/x/..;/b",
		"/x/%2e%2e;/b":              "/x/..;/b", // and those of others are not
		"/x/..%3b/b":                "/x/..%3b/b",
		"/x/...;/b":                 "/x/...;/b",
		"/x;/../b":                  "/b",
		"/x/..;%2fb":                "400",
	}
	for in, want := range cases {
		steps, why := normalise(in, strict)
		got := in
		if len(steps) > 0 {
			got = steps[len(steps)-1].Path
		}
		if why != "" {
			got = "400"
		}
		if got != want {
			t.Errorf("%s becomes %s, want %s (%v)", in, got, want, steps)
		}
	}
}

func FuzzANormalisedPathHasNoDotSegments(f *testing.F) {
	for _, seed := range []string{"/a/../b", "/%2e%2E/", `/a\.\b//`, "/%%32%65", "/..%2f", "/.%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		path, _, _ = strings.Cut(path, "?")
		steps, why := normalise(path, strict)
		if why != "" {
			return
		}
		if len(steps) > 0 {
			path = steps[len(steps)-1].Path
		}
		for segment := range strings.SplitSeq(path, "/") {
			if s := strings.ToLower(strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")); s == "." || s == ".." {
				t.Errorf("%q has the segment %q", path, segment)
			}
		}
		if strings.Contains(path, `\`) || path[0] != '/' {
			t.Errorf("%q is not normal", path)
		}
	})
}
