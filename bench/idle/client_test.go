package main

import (
	"bytes"
	"errors"
	"testing"
	"time"
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

func TestParseProcess(t *testing.T) {
	status := "Name:\tsio gnet\nVmHWM:\t   3000 kB\nVmRSS:\t   2000 kB\nThreads:\t7\n"
	stat := "12 (sio (gnet) x) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0"
	got, err := parseProcess([]byte(status), []byte(stat))
	want := process{rss: 2000 << 10, peak: 3000 << 10, threads: 7, cpu: 2 * time.Second}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseProcess([]byte("Name: x\n"), []byte(stat)); err == nil {
		t.Error("a status without memory passed")
	}
	if _, err := parseProcess([]byte(status), []byte("12 (x) S 1")); err == nil {
		t.Error("a short stat passed")
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
