package loop

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/sio-gnet/sio-gnet/loop/internal/http1"
)

// arrival goes with a hijacked connection to its loop. There, its request is served as if it had come just now.
type arrival struct {
	visit *visit
	input []byte // the request's head, and what was read behind it
}

// begin is called with the new Conn. On the loop.
func (a *arrival) begin(c *Conn) {
	v := a.visit
	c.proxy = &proxied{client: v.client, secure: v.secure, guest: &guest{request: v.request}}
	c.onInput(a.input)
}

// hijack takes a connection over that is to become a WebSocket.
func (v *visit) hijack() {
	r := v.reactor
	conn, buffered, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		v.dismiss()
		r.opts.Logger.Error("loop: no websocket: the connection can't be taken over; "+
			"a ResponseWriter around the server's own needs an Unwrap or a Hijack method", "error", err, "remote", v.client)
		v.refuse(&http1.Error{Status: http.StatusInternalServerError, Reason: "websocket is not possible here"})
		v.giveBack()
		return
	}
	input := append([]byte(nil), v.head.B...)
	if n := buffered.Reader.Buffered(); n > 0 {
		read, _ := buffered.Peek(n) // they are there
		input = append(input, read...)
	}
	place := v.place()
	v.giveBack()
	// The server's timeouts end here.
	if err := conn.SetDeadline(time.Time{}); err != nil {
		v.dismiss()
		conn.Close()
		return
	}
	v.w = nil
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		r.enrollGuest(conn, &arrival{visit: v, input: input})
	default:
		r.serveSocket(conn, place, v, input)
	}
}

// enrollGuest gives a connection to a loop as [Reactor.enroll] does.
func (r *Reactor) enrollGuest(conn net.Conn, a *arrival) {
	err := ErrServerClosed
	if r.enrolling.enter() {
		e := &enrollment{arrived: a, counted: a.visit.counted}
		_, err = r.client.EnrollContext(conn, e)
		if err == nil && !e.opened { // see enroll
			err = errNotOpened
		}
		r.enrolling.leave()
	} else {
		conn.Close()
	}
	if err != nil {
		a.visit.dismiss()
		if !errors.Is(err, ErrServerClosed) {
			r.opts.Logger.Warn("loop: a connection could not be taken", "error", err)
		}
	}
}
