package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

// script is a server that answers polls with what it is given, one after the
// other, and notes what is posted. It cuts the connection behind the last.
type script struct {
	mu     sync.Mutex
	polls  []string
	posted []string
	ok     string // the answer to a POST
}

// ServeHTTP plays the next part.
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body) // what is missing shows in the test
		s.posted = append(s.posted, string(body))
		_, _ = io.WriteString(w, s.ok)
		return
	}
	if len(s.polls) == 0 {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, s.polls[0])
	s.polls = s.polls[1:]
}

const event = `42["echo","xxx"]`

func TestClient(t *testing.T) {
	const open, joined = `0{"sid":"abc"}`, `40{"sid":"def"}`
	for _, tt := range []struct {
		name   string
		polls  []string
		ok     string
		posted []string // in the order of the alphabet, as a POST may overtake a GET
		want   error    // nil if everything goes well
	}{
		{"echo", []string{open, joined, event, event}, "ok", []string{"40", event, event}, nil},
		{"pings", []string{open, "2", joined, "2", event, "2\x1e" + event}, "ok", []string{"3", "3", "3", "40", event, event}, nil},
		{"ping behind", []string{open, joined, event + "\x1e2", event}, "ok", []string{"3", "40", event, event}, nil},
		{"no open packet", []string{"2"}, "ok", nil, wire.ErrProtocol},
		{"a POST that fails", []string{open, joined}, "no", []string{"40"}, wire.ErrProtocol},
		{"a connect error", []string{open, `44{"message":"no"}`}, "ok", []string{"40"}, wire.ErrProtocol},
		{"another event", []string{open, joined, `42["echo","yyy"]`}, "ok", []string{"40", event}, wire.ErrProtocol},
		{"one event too many", []string{open, joined, event + "\x1e" + event}, "ok", []string{"40", event}, wire.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{polls: tt.polls, ok: tt.ok}
			server := httptest.NewServer(s)
			defer server.Close()
			err := echoTwice(t, strings.TrimPrefix(server.URL, "http://"))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if slices.Sort(s.posted); !slices.Equal(s.posted, tt.posted) {
				t.Errorf("posted %q, want %q", s.posted, tt.posted)
			}
		})
	}
}

func TestClientSeesTheEnd(t *testing.T) {
	s := &script{polls: []string{`0{"sid":"abc"}`}, ok: "ok"}
	server := httptest.NewServer(s)
	defer server.Close()
	if err := echoTwice(t, strings.TrimPrefix(server.URL, "http://")); err == nil {
		t.Error("it goes on without a connection")
	}
}

func echoTwice(t *testing.T, addr string) error {
	t.Helper()
	c, err := join(t.Context(), addr, 3)
	if err != nil {
		return err
	}
	defer c.close()
	return c.echo(2)
}
