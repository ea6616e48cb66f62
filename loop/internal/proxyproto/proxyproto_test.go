package proxyproto

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"
)

const (
	highest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

	v4Body = "\xc6\x33\x64\x01\x0a\x00\x00\x01\x00\x07\x01\xbb" // 198.51.100.1:7 to 10.0.0.1:443
	v6Body = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00\x07\x01\xbb"
)

// v2 is a header of version 2 with its length filled in.
func v2(command, family byte, body string) string {
	return signature + string([]byte{command, family}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
}

// tlv is an extension.
func tlv(kind byte, value string) string {
	return string([]byte{kind}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(value)))) + value
}

func ip(source, destination string) Header {
	return Header{Kind: IP, Source: netip.MustParseAddrPort(source), Destination: netip.MustParseAddrPort(destination)}
}

func secure(h Header) Header { h.Secure = true; return h }

func unixBody(from, to string) string {
	pad := func(s string) string { return s + strings.Repeat("\x00", unixPath-len(s)) }
	return pad(from) + pad(to)
}

// withChecksum is a header with one extension, the checksum.
func withChecksum(wrong uint32) string {
	zero := v2(0x21, 0x11, v4Body+tlv(typeCRC32C, "\x00\x00\x00\x00"))
	sum := crc32.Checksum([]byte(zero), castagnoli) ^ wrong
	return zero[:len(zero)-4] + string(binary.BigEndian.AppendUint32(nil, sum))
}

var (
	v4 = ip("198.51.100.1:7", "10.0.0.1:443")
	v6 = ip("[2001:db8::7]:7", "[2001:db8::8]:443")
)

var good = []struct {
	name, header string
	want         Header
}{
	{"text, IPv4", "PROXY TCP4 198.51.100.1 10.0.0.1 7 443\r\n", v4},
	{"text, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::8 7 443\r\n", v6},
	{"text, IPv4 in IPv6", "PROXY TCP6 ::ffff:198.51.100.1 ::ffff:10.0.0.1 7 443\r\n", v4},
	{
		"text, longest address",
		"PROXY TCP6 " + highest + " " + highest + " 65535 65535\r\n",
		ip("["+highest+"]:65535", "["+highest+"]:65535"),
	},
	{"text, port 0", "PROXY TCP4 198.51.100.1 10.0.0.1 0 443\r\n", ip("198.51.100.1:0", "10.0.0.1:443")},
	{"text, unknown", "PROXY UNKNOWN\r\n", Header{}},
	{"text, unknown with addresses", "PROXY UNKNOWN " + highest + " " + highest + " 65535 65535\r\n", Header{}},
	{"IPv4", v2(0x21, 0x11, v4Body), v4},
	{"IPv6", v2(0x21, 0x21, v6Body), v6},
	{"unix", v2(0x21, 0x31, unixBody("/run/a", "\x00b")), Header{Kind: Unix, UnixSource: "/run/a", UnixDestination: "@b"}},
	{"unix without a name", v2(0x21, 0x31, unixBody("", strings.Repeat("x", unixPath))), Header{Kind: Unix, UnixDestination: strings.Repeat("x", unixPath)}},
	{"local", v2(0x20, 0, ""), Header{}},
	{"local with what is to be ignored", v2(0x20, 0xff, "anything"), Header{}},
	{"unspecified", v2(0x21, 0, ""), Header{}},
	{"unspecified with what is to be ignored", v2(0x21, 0, "anything"), Header{}},
	{"datagrams, IPv4", v2(0x21, 0x12, v4Body), Header{}},
	{"datagrams, IPv6", v2(0x21, 0x22, v6Body), Header{}},
	{"datagrams, unix", v2(0x21, 0x32, unixBody("/a", "/b")), Header{}},
	{"extensions", v2(0x21, 0x11, v4Body+tlv(0x01, "h2")+tlv(0x04, "")+tlv(0xEA, strings.Repeat("x", 300))), v4},
	{"TLS", v2(0x21, 0x11, v4Body+tlv(0x05, "id")+tlv(typeSSL, "\x01\x00\x00\x00\x00"+tlv(0x21, "TLSv1.3"))), secure(v4)},
	{"TLS over IPv6", v2(0x21, 0x21, v6Body+tlv(typeSSL, "\x07\x00\x00\x00\x00")), secure(v6)},
	{"no TLS", v2(0x21, 0x11, v4Body+tlv(typeSSL, "\x06\x00\x00\x00\x00")), v4},
	{"checksum", withChecksum(0), v4},
	{"longest", v2(0x21, 0x11, v4Body+tlv(0xEA, strings.Repeat("x", MaxHeader-fixed-len(v4Body)-3))), v4},
}

// Whatever follows a header, and however it is cut, it is read the same.
func TestGoodHeaders(t *testing.T) {
	for _, tt := range good {
		t.Run(tt.name, func(t *testing.T) {
			for k := range len(tt.header) {
				if h, n, err := Parse([]byte(tt.header[:k])); n != 0 || err != nil || h != (Header{}) {
					t.Fatalf("%d bytes of it: got %+v, %d, %v", k, h, n, err)
				}
			}
			for _, more := range []string{"", "G", "GET / HTTP/1.1\r\n\r\n", tt.header} {
				h, n, err := Parse([]byte(tt.header + more))
				if err != nil || n != len(tt.header) || h != tt.want {
					t.Errorf("with %q: got %+v, %d, %v; want %+v, %d", more, h, n, err, tt.want, len(tt.header))
				}
			}
		})
	}
}

func TestBadHeaders(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		// needs is how many bytes it takes to know.
		needs int
		want  error
	}{
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", 1, ErrMissing},
		{"HTTP that begins alike", "PROPFIND / HTTP/1.1\r\n", 4, ErrMissing},
		{"TLS", "\x16\x03\x01", 1, ErrMissing},
		{"empty lines", "\r\n\r\nGET / HTTP/1.1\r\n", 5, ErrMissing},
		{"no space", "PROXY\r\n", 6, ErrMissing},
		{"text without fields", "PROXY \r\n", 8, ErrMalformed},
		{"text without CR", "PROXY TCP4 198.51.100.1 10.0.0.1 7 443\n", 39, ErrMalformed},
		{"text without end", "PROXY UNKNOWN " + strings.Repeat("x", 100), 107, ErrTooLong},
		{"text that is a byte too long", "PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n", 107, ErrTooLong},
		{"text with a field too few", "PROXY TCP4 198.51.100.1 10.0.0.1 7\r\n", 36, ErrMalformed},
		{"text with a field too many", "PROXY TCP4 198.51.100.1 10.0.0.1 7 443 1\r\n", 42, ErrMalformed},
		{"text with two spaces", "PROXY TCP4  198.51.100.1 10.0.0.1 7 443\r\n", 41, ErrMalformed},
		{"text with another family", "PROXY UDP4 198.51.100.1 10.0.0.1 7 443\r\n", 40, ErrMalformed},
		{"text with IPv6 as IPv4", "PROXY TCP4 2001:db8::7 10.0.0.1 7 443\r\n", 39, ErrMalformed},
		{"text with IPv4 as IPv6", "PROXY TCP6 2001:db8::7 10.0.0.1 7 443\r\n", 39, ErrMalformed},
		{"text with a zone", "PROXY TCP6 fe80::1%e fe80::2 7 443\r\n", 36, ErrMalformed},
		{"text with a name", "PROXY TCP4 localhost 10.0.0.1 7 443\r\n", 37, ErrMalformed},
		{"text with a leading zero", "PROXY TCP4 198.51.100.1 10.0.0.1 07 443\r\n", 41, ErrMalformed},
		{"text with a sign", "PROXY TCP4 198.51.100.1 10.0.0.1 +7 443\r\n", 41, ErrMalformed},
		{"text with a port too large", "PROXY TCP4 198.51.100.1 10.0.0.1 7 65536\r\n", 42, ErrMalformed},
		{"version 1 in binary", v2(0x11, 0x11, v4Body), fixed, ErrVersion},
		{"version 3", v2(0x31, 0x11, v4Body), fixed, ErrVersion},
		{"unknown command", v2(0x22, 0x11, v4Body), fixed, ErrVersion},
		{"too long", v2(0x21, 0x11, strings.Repeat("x", MaxHeader-fixed+1)), fixed, ErrTooLong},
		{"too long, local", v2(0x20, 0x11, strings.Repeat("x", MaxHeader-fixed+1)), fixed, ErrTooLong},
		{"unknown family", v2(0x21, 0x41, v4Body), fixed + 12, ErrMalformed},
		{"unknown transport", v2(0x21, 0x13, v4Body), fixed + 12, ErrMalformed},
		{"family without transport", v2(0x21, 0x10, v4Body), fixed + 12, ErrMalformed},
		{"addresses cut short", v2(0x21, 0x21, v4Body), fixed + 12, ErrMalformed},
		{"paths cut short", v2(0x21, 0x31, "/a"), fixed + 2, ErrMalformed},
		{"extension cut short", v2(0x21, 0x11, v4Body+"\x01\x00"), fixed + 14, ErrMalformed},
		{"extension that is too long", v2(0x21, 0x11, v4Body+"\x01\x00\x03ab"), fixed + 17, ErrMalformed},
		{"extension cut short, datagrams", v2(0x21, 0x12, v4Body+"\x01"), fixed + 13, ErrMalformed},
		{"TLS cut short", v2(0x21, 0x11, v4Body+tlv(typeSSL, "\x01\x00\x00\x00")), fixed + 19, ErrMalformed},
		{"checksum cut short", v2(0x21, 0x11, v4Body+tlv(typeCRC32C, "abc")), fixed + 18, ErrMalformed},
		{"wrong checksum", withChecksum(1), fixed + 19, ErrChecksum},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for k := range len(tt.header) + 1 {
				h, n, err := Parse([]byte(tt.header[:k]))
				var want error
				if k >= tt.needs {
					want = tt.want
				}
				if n != 0 || h != (Header{}) || !errors.Is(err, want) {
					t.Fatalf("%d bytes: got %+v, %d, %v; want %v", k, h, n, err, want)
				}
			}
		})
	}
}

// FuzzParse shows that it does not matter how input is cut.
func FuzzParse(f *testing.F) {
	for _, tt := range good {
		f.Add([]byte(tt.header), 3)
	}
	f.Add([]byte("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"), 20)
	f.Fuzz(func(t *testing.T, input []byte, cut int) {
		h, n, err := Parse(input)
		if n > MaxHeader || n > len(input) || n > 0 && err != nil || n == 0 && h != (Header{}) {
			t.Fatalf("got %+v, %d, %v", h, n, err)
		}
		if n == 0 && err == nil && len(input) >= MaxHeader {
			t.Fatal("it wants more than it may keep")
		}
		if cut < 0 || cut > len(input) {
			return
		}
		first, k, early := Parse(input[:cut])
		switch {
		case early != nil:
			if !errors.Is(err, early) {
				t.Errorf("%d bytes: %v, all: %v", cut, early, err)
			}
		case k > 0 && (k != n || first != h):
			t.Errorf("%d bytes: %+v, %d; all: %+v, %d", cut, first, k, h, n)
		case k == 0 && n > 0 && cut >= n:
			t.Errorf("%d bytes of %d are not enough", cut, n)
		}
	})
}
