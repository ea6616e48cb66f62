package http1

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"testing"
)

func TestAppendStatusLine(t *testing.T) {
	for status, want := range map[int]string{
		101:  "HTTP/1.1 101 Switching Protocols\r\n",
		200:  "HTTP/1.1 200 OK\r\n",
		413:  "HTTP/1.1 413 Request Entity Too Large\r\n",
		599:  "HTTP/1.1 599 \r\n",
		0:    "HTTP/1.1 500 Internal Server Error\r\n",
		1000: "HTTP/1.1 500 Internal Server Error\r\n",
	} {
		if got := AppendStatusLine([]byte("x"), status); string(got) != "x"+want {
			t.Errorf("%d: got %q, want %q", status, got, want)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	tests := []struct {
		name, header, value string
		want                string // "": refused
	}{
		{"plain", "Content-Type", "text/plain; charset=UTF-8", "Content-Type: text/plain; charset=UTF-8\r\n"},
		{"empty value", "A", "", "A: \r\n"},
		{"tab and bytes over 0x7f", "A", "b\tc\xe4", "A: b\tc\xe4\r\n"},
		{"empty name", "", "a", ""},
		{"name with a space", "A b", "c", ""},
		{"name with a colon", "A:", "c", ""},
		{"name with CRLF", "A\r\nB", "c", ""},
		{"CRLF in the value", "A", "b\r\nC: d", ""},
		{"CR in the value", "A", "b\r", ""},
		{"LF in the value", "A", "b\n", ""},
		{"NUL in the value", "A", "b\x00", ""},
		{"DEL in the value", "A", "b\x7f", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendHeader([]byte("x"), tt.header, tt.value)
			if string(got) != "x"+tt.want {
				t.Errorf("got %q, want %q", got, "x"+tt.want)
			}
			if refused := tt.want == ""; refused != errors.Is(err, ErrInvalidHeader) {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestResponseIsReadableByNetHTTP(t *testing.T) {
	b := AppendStatusLine(nil, 200)
	b, err := AppendHeader(b, "Content-Length", "2")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, "\r\nok"...)
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != 2 {
		t.Errorf("got %+v", res)
	}
}
