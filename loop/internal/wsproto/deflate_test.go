package wsproto

import (
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// anything is a server that takes whatever a client offers.
var anything = DeflateLimits{ServerTakeover: true, ClientTakeover: true, ServerBits: 15, ClientBits: 15}

const (
	pmd = "permessage-deflate"
	// none is what is negotiated if no offer can be taken, malformed if the header
	// can't be read.
	none      = ""
	malformed = "malformed"
)

// TestNegotiateDeflate goes through RFC 7692, section 7.1, and the grammar of RFC
// 6455, section 9.1.
func TestNegotiateDeflate(t *testing.T) {
	tests := []struct {
		name   string
		header string
		answer string
		limits *DeflateLimits // default anything
	}{
		{name: "no offer", header: "", answer: none},
		{name: "empty elements only", header: " ,,\t, ", answer: none},
		{name: "another extension", header: "x-webkit-deflate-frame; a=b", answer: none},
		{name: "name in capitals is another extension", header: "Permessage-Deflate", answer: none},
		{name: "plain", header: pmd, answer: pmd},
		{name: "among others", header: "foo; a, permessage-deflate, bar", answer: pmd},
		{name: "empty elements", header: ", ,permessage-deflate,", answer: pmd},
		{name: "white space", header: "\tpermessage-deflate  ;\tserver_max_window_bits \t= 9 ", answer: pmd + "; server_max_window_bits=9"},
		{name: "browsers' offer", header: pmd + "; client_max_window_bits", answer: pmd},

		{name: "server_no_context_takeover is honoured", header: pmd + "; server_no_context_takeover", answer: pmd + "; server_no_context_takeover"},
		{name: "server_no_context_takeover with a value", header: pmd + "; server_no_context_takeover=1", answer: none},
		{name: "server_no_context_takeover twice", header: pmd + "; server_no_context_takeover; server_no_context_takeover", answer: none},
		{name: "client_no_context_takeover is answered", header: pmd + "; client_no_context_takeover", answer: pmd + "; client_no_context_takeover"},
		{name: "client_no_context_takeover with a value", header: pmd + `; client_no_context_takeover="true"`, answer: none},
		{name: "client_no_context_takeover twice", header: pmd + "; client_no_context_takeover; client_no_context_takeover", answer: none},

		{name: "server_max_window_bits least", header: pmd + "; server_max_window_bits=8", answer: pmd + "; server_max_window_bits=8"},
		{name: "server_max_window_bits most", header: pmd + "; server_max_window_bits=15", answer: pmd + "; server_max_window_bits=15"},
		{name: "server_max_window_bits quoted", header: pmd + `; server_max_window_bits="10"`, answer: pmd + "; server_max_window_bits=10"},
		{name: "server_max_window_bits escaped", header: pmd + `; server_max_window_bits="\1\0"`, answer: pmd + "; server_max_window_bits=10"},
		{name: "server_max_window_bits partly escaped", header: pmd + `; server_max_window_bits="1\1"`, answer: pmd + "; server_max_window_bits=11"},
		{name: "server_max_window_bits without a value", header: pmd + "; server_max_window_bits", answer: none},
		{name: "server_max_window_bits too small", header: pmd + "; server_max_window_bits=7", answer: none},
		{name: "server_max_window_bits too large", header: pmd + "; server_max_window_bits=16", answer: none},
		{name: "server_max_window_bits with a leading zero", header: pmd + "; server_max_window_bits=08", answer: none},
		{name: "server_max_window_bits with a sign", header: pmd + "; server_max_window_bits=+9", answer: none},
		{name: "server_max_window_bits not a number", header: pmd + "; server_max_window_bits=1a", answer: none},
		{name: "server_max_window_bits of three digits", header: pmd + "; server_max_window_bits=100", answer: none},
		{name: "server_max_window_bits twice", header: pmd + "; server_max_window_bits=9; server_max_window_bits=9", answer: none},
		{name: "server_max_window_bits twice, first bad", header: pmd + "; server_max_window_bits=7; server_max_window_bits=9", answer: none},

		{name: "client_max_window_bits least", header: pmd + "; client_max_window_bits=8", answer: pmd + "; client_max_window_bits=8"},
		{name: "client_max_window_bits most", header: pmd + "; client_max_window_bits=15", answer: pmd},
		{name: "client_max_window_bits quoted", header: pmd + `; client_max_window_bits="9"`, answer: pmd + "; client_max_window_bits=9"},
		{name: "client_max_window_bits too small", header: pmd + "; client_max_window_bits=7", answer: none},
		{name: "client_max_window_bits too large", header: pmd + "; client_max_window_bits=16", answer: none},
		{name: "client_max_window_bits with a leading zero", header: pmd + "; client_max_window_bits=09", answer: none},
		{name: "client_max_window_bits twice", header: pmd + "; client_max_window_bits; client_max_window_bits=9", answer: none},

		{name: "unknown parameter", header: pmd + "; foo", answer: none},
		{name: "unknown parameter with a value", header: pmd + "; foo=bar; client_max_window_bits", answer: none},
		{name: "parameter in capitals is unknown", header: pmd + "; Client_max_window_bits", answer: none},
		{
			name:   "everything",
			header: pmd + "; client_max_window_bits=11; server_max_window_bits=12; client_no_context_takeover; server_no_context_takeover",
			answer: pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
		},
		{
			name:   "the first offer that can be taken",
			header: pmd + "; server_max_window_bits=16, " + pmd + "; server_max_window_bits=10, " + pmd,
			answer: pmd + "; server_max_window_bits=10",
		},
		{name: "a bad offer behind a good one", header: pmd + ", " + pmd + "; foo", answer: pmd},

		{name: "server has no takeover", limits: &DeflateLimits{ClientTakeover: true, ServerBits: 15, ClientBits: 15}, header: pmd, answer: pmd + "; server_no_context_takeover"},
		{name: "client gets no takeover", limits: &DeflateLimits{ServerTakeover: true, ServerBits: 15, ClientBits: 15}, header: pmd, answer: pmd + "; client_no_context_takeover"},
		{name: "server bounds its window unasked", limits: &DeflateLimits{true, true, 10, 15}, header: pmd, answer: pmd + "; server_max_window_bits=10"},
		{name: "server bounds its window further", limits: &DeflateLimits{true, true, 10, 15}, header: pmd + "; server_max_window_bits=12", answer: pmd + "; server_max_window_bits=10"},
		{name: "client bounds the server's window further", limits: &DeflateLimits{true, true, 12, 15}, header: pmd + "; server_max_window_bits=9", answer: pmd + "; server_max_window_bits=9"},
		{name: "server bounds the client's window", limits: &DeflateLimits{true, true, 15, 10}, header: pmd + "; client_max_window_bits", answer: pmd + "; client_max_window_bits=10"},
		{name: "server bounds the client's window further", limits: &DeflateLimits{true, true, 15, 10}, header: pmd + "; client_max_window_bits=12", answer: pmd + "; client_max_window_bits=10"},
		{name: "client bounds its window further", limits: &DeflateLimits{true, true, 15, 12}, header: pmd + "; client_max_window_bits=9", answer: pmd + "; client_max_window_bits=9"},
		{name: "client can't bound its window", limits: &DeflateLimits{true, true, 15, 10}, header: pmd, answer: pmd + "; client_no_context_takeover"},

		{name: "no name", header: "; a", answer: malformed},
		{name: "no parameter", header: pmd + ";", answer: malformed},
		{name: "no parameter before the next", header: pmd + ";;a", answer: malformed},
		{name: "no value", header: pmd + "; server_max_window_bits=", answer: malformed},
		{name: "no value before the next", header: pmd + "; server_max_window_bits=; a", answer: malformed},
		{name: "two names", header: pmd + " " + pmd, answer: malformed},
		{name: "two values", header: pmd + "; server_max_window_bits=9 10", answer: malformed},
		{name: "no token", header: pmd + "; server_max_window_bits=9/10", answer: malformed},
		{name: "open quote", header: pmd + `; server_max_window_bits="10`, answer: malformed},
		{name: "open quote with an escape at the end", header: pmd + `; server_max_window_bits="10\`, answer: malformed},
		{name: "escaped quote", header: pmd + `; server_max_window_bits="10\"`, answer: malformed},
		{name: "nothing quoted", header: pmd + `; server_max_window_bits=""`, answer: malformed},
		{name: "no token quoted", header: pmd + `; server_max_window_bits="1 0"`, answer: malformed},
		{name: "text behind a quote", header: pmd + `; server_max_window_bits="10"0`, answer: malformed},
		{name: "quoted name", header: `"permessage-deflate"`, answer: malformed},
		{name: "malformed behind a good offer", header: pmd + ", @", answer: malformed},
		{name: "control character", header: "permessage-deflate\x00", answer: malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limits := anything
			if tt.limits != nil {
				limits = *tt.limits
			}
			d, ok, err := NegotiateDeflate([]byte(tt.header), limits)
			var got string
			switch {
			case err != nil:
				if got = malformed; ok || d != (Deflate{}) || !hasCode(err, ws.StatusProtocolError) {
					t.Errorf("got %+v, %v beside the error %v", d, ok, err)
				}
			case ok:
				got = string(d.AppendAnswer(nil))
			}
			if got != tt.answer {
				t.Errorf("%q: got %q, want %q", tt.header, got, tt.answer)
			}
		})
	}
}

// TestNegotiateDeflateAgrees holds what the answer says against what this side
// then does.
func TestNegotiateDeflateAgrees(t *testing.T) {
	offers := []string{
		"", "; server_no_context_takeover", "; client_no_context_takeover", "; server_max_window_bits=9", "; server_max_window_bits=14",
		"; client_max_window_bits", "; client_max_window_bits=9", "; client_max_window_bits=14",
	}
	for _, server := range []bool{true, false} {
		for _, client := range []bool{true, false} {
			for _, bits := range []int{8, 11, 15} {
				for _, offer := range offers {
					checkAgreement(t, pmd+offer, DeflateLimits{server, client, bits, bits})
				}
			}
		}
	}
}

// checkAgreement judges what comes of any header.
func checkAgreement(t *testing.T, header string, limits DeflateLimits) {
	t.Helper()
	d, ok, err := NegotiateDeflate([]byte(header), limits)
	if err != nil || !ok {
		return
	}
	answer := string(d.AppendAnswer(nil))
	if limits.ServerBits < d.ServerBits || d.ServerBits < MinWindowBits || d.ClientBits < MinWindowBits || d.ClientBits > MaxWindowBits {
		t.Fatalf("%q, %+v: windows of %d and %d bits", header, limits, d.ServerBits, d.ClientBits)
	}
	if d.ClientTakeover && d.ClientBits > limits.ClientBits {
		t.Fatalf("%q, %+v: the client's window has %d bits", header, limits, d.ClientBits)
	}
	if d.ServerTakeover && !limits.ServerTakeover || d.ClientTakeover && !limits.ClientTakeover {
		t.Fatalf("%q, %+v: takeover %+v", header, limits, d)
	}
	// A client that made the offer of the answer must come to the same.
	again, ok, err := NegotiateDeflate([]byte(answer), anything)
	if err != nil || !ok {
		t.Fatalf("%q: answer %q is not well-formed: %v", header, answer, err)
	}
	if again.ServerTakeover != d.ServerTakeover || again.ClientTakeover != d.ClientTakeover ||
		again.ServerBits != d.ServerBits || again.ClientBits != d.ClientBits {
		t.Fatalf("%q: answer %q says %+v, agreed on %+v", header, answer, again, d)
	}
	if strings.Contains(answer, clientWindowBits) && !strings.Contains(header, clientWindowBits) {
		t.Fatalf("%q: answer %q to a client that does not know the parameter", header, answer)
	}
}

func FuzzNegotiateDeflate(f *testing.F) {
	for _, header := range []string{
		pmd, pmd + "; client_max_window_bits", `a;b="\c", permessage-deflate;server_max_window_bits="9"`,
		pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=15",
	} {
		f.Add(header, true, false, 15, 9)
	}
	f.Fuzz(func(t *testing.T, header string, server, client bool, serverBits, clientBits int) {
		bound := func(bits int) int { return min(max(bits, MinWindowBits), MaxWindowBits) }
		checkAgreement(t, header, DeflateLimits{server, client, bound(serverBits), bound(clientBits)})
	})
}
