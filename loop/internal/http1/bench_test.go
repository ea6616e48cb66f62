package http1

import (
	"strconv"
	"strings"
	"testing"
)

// What a browser sends for each poll, and for a WebSocket.
var (
	pollGet = head(
		"GET /socket.io/?EIO=4&transport=polling&t=P5iUz0a&sid=hB2yZ1Tq0dGkz7cVAAAC HTTP/1.1",
		"Host: chat.example.org",
		"Connection: keep-alive",
		`sec-ch-ua: "Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"`,
		"sec-ch-ua-mobile: ?0",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		`sec-ch-ua-platform: "Linux"`,
		"Accept: */*",
		"Origin: https://app.example.org",
		"Sec-Fetch-Site: same-site",
		"Sec-Fetch-Mode: cors",
		"Sec-Fetch-Dest: empty",
		"Referer: https://app.example.org/",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8",
	)
	pollPost = head(
		"POST /socket.io/?EIO=4&transport=polling&t=P5iUz0b&sid=hB2yZ1Tq0dGkz7cVAAAC HTTP/1.1",
		"Host: chat.example.org",
		"Connection: keep-alive",
		"Content-Length: 2",
		"Content-Type: text/plain;charset=UTF-8",
		"Accept: */*",
	)
	upgradeGet = head(
		"GET /socket.io/?EIO=4&transport=websocket&sid=hB2yZ1Tq0dGkz7cVAAAC HTTP/1.1",
		"Host: chat.example.org",
		"Connection: Upgrade",
		"Pragma: no-cache",
		"Cache-Control: no-cache",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Upgrade: websocket",
		"Origin: https://app.example.org",
		"Sec-WebSocket-Version: 13",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
	)
)

var typicalHeads = map[string]string{"poll GET": pollGet, "poll POST": pollPost, "websocket upgrade": upgradeGet}

func TestNormalPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	check := func(name string, f func()) {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	for name, text := range typicalHeads {
		var r Request
		var s HeadScanner
		input := []byte(text)
		check(name, func() {
			s.Reset()
			_, _ = s.Scan(input[:len(input)/2], Limits{})
			end, err := s.Scan(input, Limits{})
			if err == nil {
				err = ParseHead(input[:end], &r, Limits{})
			}
			if err != nil || r.QueryValue("EIO") == nil || r.Get("Host") == nil {
				t.Errorf("%v", err)
			}
		})
	}
	body := []byte("5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n")
	dst := make([]byte, 0, 64)
	check("chunked body", func() {
		var d ChunkDecoder
		if _, _, done, err := d.Decode(dst, body, 100); !done || err != nil {
			t.Error(done, err)
		}
	})
	check("response", func() {
		b := AppendStatusLine(dst, 200)
		if _, err := AppendHeader(b, "Content-Length", "2"); err != nil {
			t.Error(err)
		}
	})
	unlucky := []byte("GET / HTTP/1.1\nHost: a\r\n\r\n")
	check("refused line end", func() {
		var s HeadScanner
		if _, err := s.Scan(unlucky, Limits{}); err == nil {
			t.Error("accepted")
		}
	})
}

func BenchmarkHead(b *testing.B) {
	for name, text := range typicalHeads {
		b.Run(name, func(b *testing.B) {
			var r Request
			input := []byte(text)
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				var s HeadScanner
				end, err := s.Scan(input, Limits{})
				if err == nil {
					err = ParseHead(input[:end], &r, Limits{})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkQueryValue(b *testing.B) {
	query := []byte("EIO=4&transport=polling&t=P5iUz0a&sid=hB2yZ1Tq0dGkz7cVAAAC")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := QueryValue(query, "EIO"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkChunkDecoder(b *testing.B) {
	for _, size := range []int{16, 1024, 16384} {
		b.Run("chunks of "+strconv.Itoa(size), func(b *testing.B) {
			chunk := strconv.FormatInt(int64(size), 16) + "\r\n" + strings.Repeat("x", size) + "\r\n"
			input := []byte(strings.Repeat(chunk, 65536/size) + "0\r\n\r\n")
			dst := make([]byte, 0, 65536)
			b.SetBytes(65536)
			b.ReportAllocs()
			for b.Loop() {
				var d ChunkDecoder
				if _, _, done, err := d.Decode(dst, input, 1<<20); !done || err != nil {
					b.Fatal(done, err)
				}
			}
		})
	}
}
