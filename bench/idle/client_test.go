package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

func serverFrame(opcode byte, payload string) string {
	if len(payload) > 125 {
		return string([]byte{0x80 | opcode, 126, byte(len(payload) >> 8), byte(len(payload))}) + payload
	}
	return string([]byte{0x80 | opcode, byte(len(payload))}) + payload
}

// conversation is what a server sends to a client that joins and stays for two
// heartbeats.
var conversation = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" +
	serverFrame(opText, `0{"sid":"`+string(bytes.Repeat([]byte("x"), 200))+`"}`) +
	serverFrame(opText, `40{"sid":"abc"}`) +
	serverFrame(opText, "2") + serverFrame(opPing, "hi") + serverFrame(opText, "2")

var answers = string(appendFrame(appendFrame(appendFrame(appendFrame(nil,
	opText, []byte("40")), opText, []byte("3")), opPong, []byte("hi")), opText, []byte("3")))

func TestClientJoinsAndAnswers(t *testing.T) {
	for size := 1; size <= len(conversation); size++ {
		var (
			c   client
			got []byte
		)
		for rest := []byte(conversation); len(rest) > 0; {
			n := min(size, len(rest))
			reply, err := c.receive(rest[:n])
			if err != nil {
				t.Fatalf("pieces of %d: %v", size, err)
			}
			got, rest = append(got, reply...), rest[n:]
		}
		if string(got) != answers || c.stage != joined || c.heartbeats != 2 || c.rest != nil {
			t.Fatalf("pieces of %d: sent %q, stage %d, %d heartbeats, rest %q", size, got, c.stage, c.heartbeats, c.rest)
		}
	}
}

func TestClientRefuses(t *testing.T) {
	accepted := "HTTP/1.1 101 Switching Protocols\r\n\r\n"
	for name, received := range map[string]string{
		"compressed":        accepted + serverFrame(opText|deflated, "x"),
		"an HTTP error":     "HTTP/1.1 503 Service Unavailable\r\n\r\n",
		"a close frame":     accepted + serverFrame(0x8, ""),
		"a binary frame":    accepted + serverFrame(0x2, "x"),
		"a masked frame":    accepted + "\x81\x81\x00\x00\x00\x00x",
		"a connect error":   accepted + serverFrame(opText, "0{}") + serverFrame(opText, `44{"message":"no"}`),
		"a fragment":        accepted + "\x01\x01x",
		"an enormous frame": accepted + "\x81\x7f",
	} {
		t.Run(name, func(t *testing.T) {
			var c client
			if _, err := c.receive([]byte(received)); !errors.Is(err, errProtocol) {
				t.Errorf("got %v, want errProtocol", err)
			}
		})
	}
}

func TestCompressingClient(t *testing.T) {
	const agreed = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
	c := client{compressed: []byte("compressed")}
	reply, err := c.receive([]byte(agreed + serverFrame(opText, "0{}") + serverFrame(opText, "40{}")))
	want := string(appendFrame(nil, opText, []byte("40"))) + "compressed"
	if err != nil || string(reply) != want || c.stage != echoing {
		t.Fatalf("sent %q, stage %d, %v", reply, c.stage, err)
	}
	if reply, err = c.receive([]byte(serverFrame(opText|deflated, "x"))); err != nil || len(reply) > 0 || c.stage != joined {
		t.Errorf("sent %q, stage %d, %v", reply, c.stage, err)
	}

	c = client{compressed: []byte("compressed")}
	if _, err := c.receive([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")); !errors.Is(err, errProtocol) {
		t.Errorf("without compression: %v", err)
	}
}

// pollingConversation is the same over polling: answers, each to the request
// before, which begin with that to the handshake.
var pollingConversation = []struct{ body, request, payload string }{
	{`0{"sid":"abc","upgrades":["websocket"]}`, "POST", "40"},
	{"ok", "GET", ""},
	{`40{"sid":"def"}`, "GET", ""},
	{"2", "POST", "3"},
	{"ok", "GET", ""},
	{"2", "POST", "3"},
	{"ok", "GET", ""},
}

func TestPollingClientJoinsAndAnswers(t *testing.T) {
	for _, size := range []int{1, 7, 1000} {
		c := client{poller: &poller{host: "host"}}
		for i, tt := range pollingConversation {
			var request []byte
			response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(tt.body), tt.body)
			for len(response) > 0 {
				n := min(size, len(response))
				got, err := c.receive(response[:n])
				if err != nil {
					t.Fatalf("pieces of %d, answer %d: %v", size, i, err)
				}
				request, response = append(request, got...), response[n:]
			}
			want := wire.Get("host", "abc")
			if tt.request == "POST" {
				want = wire.Post("host", "abc", tt.payload)
			}
			if !bytes.Equal(request, want) {
				t.Fatalf("pieces of %d, answer %d: sent %q, want %q", size, i, request, want)
			}
		}
		if c.stage != joined || c.heartbeats != 2 || c.rest != nil {
			t.Fatalf("pieces of %d: stage %d, %d heartbeats, rest %q", size, c.stage, c.heartbeats, c.rest)
		}
	}
}

func TestPollingClientRefuses(t *testing.T) {
	answer := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	open := answer(`0{"sid":"abc"}`)
	for name, received := range map[string][]string{
		"an HTTP error":                {"HTTP/1.1 503 Service Unavailable\r\n\r\n"},
		"no open packet":               {answer("2")},
		"a POST that failed":           {open, answer("no")},
		"a connect error":              {open, answer("ok"), answer(`44{"message":"no"}`)},
		"a close packet":               {open, answer("ok"), answer(`40{}`), answer("1")},
		"a response without a request": {open + answer("ok")},
	} {
		t.Run(name, func(t *testing.T) {
			c := client{poller: &poller{host: "host"}}
			for i, b := range received {
				_, err := c.receive([]byte(b))
				if last := i == len(received)-1; last != errors.Is(err, errProtocol) {
					t.Errorf("answer %d: got %v", i, err)
				}
			}
		})
	}
}

func TestParseFlags(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"defaults", nil, true},
		{"all", []string{"-clients", "5", "-ping-interval", "1s", "-window", "2s", "-json"}, true},
		{"polling", []string{"-transport", "polling"}, true},
		{"compression", []string{"-deflate"}, true},
		{"compressed polling", []string{"-transport", "polling", "-deflate"}, false},
		{"unknown transport", []string{"-transport", "carrier-pigeon"}, false},
		{"no clients", []string{"-clients", "0"}, false},
		{"unknown", []string{"-nope"}, false},
		{"surplus", []string{"surplus"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			_, err := parse(tt.args, &out)
			if (err == nil) != tt.ok || tt.ok == (out.Len() > 0) {
				t.Errorf("error %v, output %q", err, out.String())
			}
		})
	}
}
