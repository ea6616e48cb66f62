package siotest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// transport carries Engine.IO packets. One goroutine reads; any may write.
type transport interface {
	// read returns the next packet. It fails when nothing more comes.
	read() (message, error)
	// write sends packets with nothing between them.
	write(packets ...message) error
	// setReadDeadline bounds read.
	setReadDeadline(t time.Time) error
	// attend says that a goroutine reads all the time.
	attend(on bool)
	// mute makes a vanished peer of the client, as far as that is read's doing.
	mute()
	// leave says goodbye, cut does not. Both may be called at any time.
	leave() error
	cut()
	// ready waits until cut would be noticed.
	ready()
}

// message is a packet on its way: text with its type in front, or bytes.
type message struct {
	data   []byte
	binary bool
}

func text(s string) message { return message{data: []byte(s)} }

// is reports whether m is that text.
func (m message) is(s string) bool { return !m.binary && string(m.data) == s }

// binaryPrefix is how tests write a binary message.
const binaryPrefix = "binary:"

func (m message) String() string {
	if m.binary {
		return binaryPrefix + string(m.data)
	}
	return string(m.data)
}

// opened is the content of the open packet.
type opened struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

// dialTransport opens a connection and takes its open packet.
func dialTransport(e *endpoint, o *options) (transport, opened, error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.patience)
	defer cancel()
	d := &dialing{endpoint: e, options: o}
	if o.transport == "websocket" {
		w, err := d.webSocket(ctx, "")
		if err != nil {
			return nil, opened{}, err
		}
		return greeted(w, o)
	}
	p, hello, err := greeted(d.polling(), o)
	if err != nil {
		return nil, hello, err
	}
	p.session(hello.SID)
	if o.transport == "polling" {
		return p, hello, nil
	}
	defer p.cut()
	w, err := d.upgrade(ctx, hello.SID)
	if err != nil {
		return nil, hello, fmt.Errorf("upgrading: %w", err)
	}
	return w, hello, nil
}

// greeted waits for the open packet, and cuts what does not begin with one.
func greeted[T transport](t T, o *options) (T, opened, error) {
	var (
		m     message
		hello opened
		err   = t.setReadDeadline(time.Now().Add(o.patience))
	)
	if err == nil {
		m, err = t.read()
	}
	if err == nil && (len(m.data) == 0 || m.data[0] != '0' || json.Unmarshal(m.data[1:], &hello) != nil || hello.SID == "") {
		err = fmt.Errorf("the first packet is %q, no open packet", m)
	}
	if err == nil {
		err = t.setReadDeadline(time.Time{})
	}
	if err != nil {
		t.cut()
	}
	return t, hello, err
}

// dialing is what all requests of a client have in common.
type dialing struct {
	*endpoint
	*options
}

// target returns the URL of a request.
func (d *dialing) target(transport, sid string) string {
	q := make(url.Values, len(d.query)+2)
	for name, values := range d.query {
		q[name] = values
	}
	q.Set("transport", transport)
	if sid != "" {
		q.Set("sid", sid)
	}
	return d.url + d.path + "/?" + q.Encode()
}

// headers returns a copy of the further headers.
func (d *dialing) headers() http.Header { return d.header.Clone() }
