package wsproto

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455, section 1.3

// headers makes a lookup of "Name: value" lines that answers as a request does.
func headers(lines ...string) func(string) []byte {
	h := make(textproto.MIMEHeader)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return func(name string) []byte {
		values := h.Values(name)
		if len(values) == 0 {
			return nil
		}
		return append([]byte{}, values[0]...)
	}
}

// TestCheckHandshake shows E22.
func TestCheckHandshake(t *testing.T) {
	const (
		upgrade = "Upgrade: websocket"
		key     = "Sec-WebSocket-Key: " + sampleKey
		version = "Sec-WebSocket-Version: 13"
		badKey  = "Missing or invalid Sec-WebSocket-Key header"
		badVer  = "Missing or invalid Sec-WebSocket-Version header"
		badUp   = "Invalid Upgrade header"
		badProt = "Invalid Sec-WebSocket-Protocol header"
	)
	tests := []struct {
		name     string
		method   string // default GET
		http10   bool
		lines    []string
		protocol string
		refusal  string
	}{
		{name: "plain", lines: []string{upgrade, key, version}},
		{name: "mixed case", lines: []string{"upgrade: WebSocket", key, version}},
		{name: "version 8", lines: []string{upgrade, key, "Sec-WebSocket-Version: 8"}},
		{name: "one protocol", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol: chat"}, protocol: "chat"},
		{name: "first of two protocols", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol: a ,\tb"}, protocol: "a"},
		{name: "protocols in two headers", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"}, protocol: "a"},
		{name: "extensions are not looked at", lines: []string{upgrade, key, version, "Sec-WebSocket-Extensions: ,,"}},

		{name: "POST", method: "POST", lines: []string{upgrade, key, version}, refusal: "Invalid HTTP method"},
		{name: "lower-case method", method: "get", lines: []string{upgrade, key, version}, refusal: "Invalid HTTP method"},
		{name: "HTTP/1.0", http10: true, lines: []string{upgrade, key, version}, refusal: badUp},
		{name: "no upgrade", lines: []string{key, version}, refusal: badUp},
		{name: "other upgrade", lines: []string{"Upgrade: h2c", key, version}, refusal: badUp},
		{name: "other upgrade of the same length", lines: []string{"Upgrade: websocker", key, version}, refusal: badUp},
		{name: "list of upgrades", lines: []string{"Upgrade: websocket, h2c", key, version}, refusal: badUp},
		{name: "letters that fold to ASCII", lines: []string{"Upgrade: web\u017focket", key, version}, refusal: badUp},
		{name: "no key", lines: []string{upgrade, version}, refusal: badKey},
		{name: "short key", lines: []string{upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", version}, refusal: badKey},
		{name: "long key", lines: []string{upgrade, key + "=", version}, refusal: badKey},
		{name: "key of other characters", lines: []string{upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-Q==", version}, refusal: badKey},
		{name: "key without padding", lines: []string{upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA", version}, refusal: badKey},
		{name: "no version", lines: []string{upgrade, key}, refusal: badVer},
		{name: "version 7", lines: []string{upgrade, key, "Sec-WebSocket-Version: 7"}, refusal: badVer},
		{name: "list of versions", lines: []string{upgrade, key, "Sec-WebSocket-Version: 13, 8"}, refusal: badVer},
		{name: "key before version", lines: []string{upgrade}, refusal: badKey},
		{name: "empty protocol", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol:"}, refusal: badProt},
		{name: "empty element", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol: a,,b"}, refusal: badProt},
		{name: "protocol not a token", lines: []string{upgrade, key, version, "Sec-WebSocket-Protocol: a, b/c"}, refusal: badProt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method, minor := "GET", 1
			if tt.method != "" {
				method = tt.method
			}
			if tt.http10 {
				minor = 0
			}
			h, refusal := CheckHandshake(headers(tt.lines...), []byte(method), minor)
			if tt.refusal != "" {
				if refusal == nil || refusal.Body != tt.refusal {
					t.Fatalf("got %v, want %q", refusal, tt.refusal)
				}
				if h.Key != nil || h.Protocol != nil {
					t.Errorf("handshake %q with a refusal", h)
				}
				return
			}
			if refusal != nil {
				t.Fatal(refusal)
			}
			if string(h.Key) != sampleKey || string(h.Protocol) != tt.protocol {
				t.Errorf("got %q", h)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		refusal *Refusal
		status  int
		header  string
	}{
		{refuseMethod, 405, "Allow: GET\r\n"},
		{refuseUpgrade, 400, ""},
		{refuseKey, 400, ""},
		{refuseVersion, 400, "Sec-WebSocket-Version: 13, 8\r\n"},
		{refuseProtocol, 400, ""},
	} {
		t.Run(tt.refusal.Body, func(t *testing.T) {
			r := tt.refusal
			if r.Status != tt.status || string(r.Header) != tt.header || r.ContentType != "text/html" {
				t.Errorf("got %+v", r)
			}
			if cap(r.Header) != len(r.Header) {
				t.Error("an append to the header would write into shared memory")
			}
			if got := r.Error(); got != "wsproto: "+r.Body {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestHandshakeClone(t *testing.T) {
	view := []byte(sampleKey + "chat")
	h := Handshake{Key: view[:24], Protocol: view[24:]}
	c := h.Clone()
	clear(view)
	if string(c.Key) != sampleKey || string(c.Protocol) != "chat" {
		t.Errorf("got %q", c)
	}
	if c := (Handshake{}).Clone(); c.Key != nil || c.Protocol != nil {
		t.Errorf("clone of nothing: %q", c)
	}
}

func TestAppendAccept(t *testing.T) {
	const want = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // RFC 6455, section 1.3
	if got := AppendAccept([]byte("x"), []byte(sampleKey)); string(got) != "x"+want {
		t.Errorf("got %q", got)
	}
}

func TestAppend101(t *testing.T) {
	got := Append101([]byte("x"), Handshake{Key: []byte(sampleKey), Protocol: []byte("chat")}, []byte("A: b\r\n"))
	want := "HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"A: b\r\n" +
		"\r\n"
	if string(got) != "x"+want {
		t.Errorf("got %q\nwant %q", got[1:], want)
	}
	plain := Append101(nil, Handshake{Key: []byte(sampleKey)}, nil)
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(plain)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 101 || len(res.Header) != 3 {
		t.Errorf("got %v", res)
	}
}
