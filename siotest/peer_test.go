package siotest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// peer is a server that says what a test tells it to.
type peer struct {
	t     *testing.T
	url   string
	conns chan net.Conn
}

// peerSocket is one connection of it.
type peerSocket struct {
	t    *testing.T
	conn net.Conn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t, conns: make(chan net.Conn)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		p.conns <- conn
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// serve lets each of the scripts talk to one connection, in order.
func (p *peer) serve(scripts ...func(s *peerSocket)) {
	for _, script := range scripts {
		s := &peerSocket{p.t, <-p.conns}
		s.send(`0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)
		script(s)
		for { // until the client cuts it
			if _, _, err := wsutil.ReadClientData(s.conn); err != nil {
				break
			}
		}
		s.conn.Close()
	}
}

func (s *peerSocket) send(packets ...string) {
	for _, packet := range packets {
		if err := wsutil.WriteServerText(s.conn, []byte(packet)); err != nil {
			s.t.Error(err)
		}
	}
}

func (s *peerSocket) next() string {
	data, err := wsutil.ReadClientText(s.conn)
	if err != nil {
		s.t.Error(err)
	}
	return string(data)
}
