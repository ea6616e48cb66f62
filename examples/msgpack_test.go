package examples_test

import (
	"encoding/hex"
	"strings"
	"testing"
)

// The answer to a picture has its bytes turned, and the date as it came.
func TestMessagePack(t *testing.T) {
	c := dialAt(t, start(t, "msgpack"))
	send := func(packet string) {
		b, err := hex.DecodeString(strings.ReplaceAll(packet, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		c.SendBinary(b)
	}
	const nsp = "a36e7370 a12f" // "nsp": "/"
	send("82 a474797065 00" + nsp)
	if got := c.Next(); !strings.Contains(got, "sid") {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	const taken = "a574616b656e d700 0000018c5d2bb400"
	send("84 a474797065 02" + nsp + "a26964 07 a464617461 92 a86e65676174697665 83 a46e616d65 a161 a6706978656c73 c404 00ff0f40" + taken)
	got := c.Next()
	for what, want := range map[string]string{
		"name": "negative of a", "pixels": "\xc4\x04\xff\x00\xf0\x40", "date": "\xd7\x00\x00\x00\x01\x8c\x5d\x2b\xb4\x00",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the %s is not in %q", what, got)
		}
	}
}
