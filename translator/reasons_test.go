package translator_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryReasonHasACase: each condition with each reason that a status can give stands in a golden case.
func TestEveryReasonHasACase(t *testing.T) {
	given := map[string]string{ // by how the lines of a kind begin; those of listeners have a # in them
		"GatewayClass/": "Accepted=True Accepted, Accepted=False InvalidParameters, SupportedVersion=True SupportedVersion",
		"Gateway/": "Accepted=True Accepted, Accepted=True ListenersNotValid, Accepted=False ListenersNotValid, " +
			"Accepted=False InvalidParameters, InsecureFrontendValidationMode=True ConfigurationChanged, " +
			"Programmed=True Programmed, Programmed=False Invalid, Programmed=False AddressNotUsable, " +
			"ResolvedRefs=True ResolvedRefs, ResolvedRefs=False ListenersNotResolved, " +
			"ResolvedRefs=False InvalidClientCertificateRef, ResolvedRefs=False RefNotPermitted",
		"ListenerSet/": "Accepted=True Accepted, Accepted=True ListenersNotValid, Accepted=False ListenersNotValid, " +
			"Accepted=False NotAllowed, Accepted=False ParentNotAccepted, " +
			"Programmed=True Programmed, Programmed=False NotAllowed, Programmed=False ListenersNotValid, Programmed=False ParentNotProgrammed",
		"#": "Accepted=True Accepted, Accepted=False UnsupportedProtocol, Accepted=False UnsupportedValue, Accepted=False PortUnavailable, " +
			"Accepted=False NoValidCACertificate, ResolvedRefs=False InvalidCACertificateRef, ResolvedRefs=False InvalidCACertificateKind, " +
			"OverlappingTLSConfig=True OverlappingHostnames, " +
			"Conflicted=False NoConflicts, Conflicted=True ProtocolConflict, Conflicted=True HostnameConflict, " +
			"Accepted=False ProtocolConflict, Accepted=False HostnameConflict, Programmed=False HostnameConflict, " +
			"ResolvedRefs=True ResolvedRefs, ResolvedRefs=False InvalidCertificateRef, ResolvedRefs=False InvalidRouteKinds, ResolvedRefs=False RefNotPermitted, " +
			"Programmed=True Programmed, Programmed=False Invalid, Programmed=False ProtocolConflict",
		"HTTPRoute/": "Accepted=True Accepted, Accepted=False NoMatchingParent, Accepted=False NotAllowedByListeners, " +
			"Accepted=False NoMatchingListenerHostname, Accepted=False UnsupportedValue, " +
			"ResolvedRefs=True ResolvedRefs, ResolvedRefs=False BackendNotFound, ResolvedRefs=False InvalidKind, " +
			"ResolvedRefs=False RefNotPermitted, ResolvedRefs=False UnsupportedProtocol, ResolvedRefs=False InvalidBackendTLS, " +
			"PartiallyInvalid=True UnsupportedValue",
		"BackendTLSPolicy/": "Accepted=True Accepted, Accepted=False Conflicted, Accepted=False TargetNotFound, Accepted=False Invalid, " +
			"Accepted=False NoValidCACertificate, ResolvedRefs=True ResolvedRefs, ResolvedRefs=False InvalidKind, " +
			"ResolvedRefs=False InvalidCACertificateRef",
	}
	lines := goldenLines(t)
	for sign, list := range given {
		for reason := range strings.SplitSeq(list, ", ") {
			if !contains(lines, sign, func(line string) bool { return strings.HasSuffix(line, " "+reason) }) {
				t.Errorf("no golden case shows %s ... %s", sign, reason)
			}
		}
	}
	for _, pending := range []string{"False Pending: no proxy is connected", "False Pending: refused by", "False Pending: live on 0"} {
		if !contains(lines, "#", func(line string) bool { return strings.Contains(line, pending) }) {
			t.Errorf("no golden case shows Programmed %s", pending)
		}
	}
}

// contains tells whether a line of this kind of object, or of a listener, satisfies a test.
func contains(lines []string, sign string, shows func(string) bool) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		if sign == "#" {
			return strings.Contains(line, "#") && shows(line)
		}
		return strings.HasPrefix(line, sign) && !strings.Contains(line, "#") && shows(line)
	})
}

func goldenLines(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, out, _ := strings.Cut(string(text), "\n-- status --\n")
		if _, programmed, ok := strings.Cut(string(text), "\n-- programmed --\n"); ok {
			out += programmed
		}
		lines = append(lines, strings.Split(out, "\n")...)
	}
	return lines
}
