package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sio-gnet/sio-gnet/bench/internal/wire"
)

// poller is what a client has in addition over polling. It has one connection,
// on which its requests follow one another, so that a GET waits on it except when
// a POST is under way.
type poller struct {
	host, sid string
	posting   bool // the answer to a POST comes next
}

// receiveAnswer takes what has come of the answer to the client's request, and
// returns the next request once it is complete.
func (c *client) receiveAnswer(b []byte) (request []byte, err error) {
	body, size, err := wire.ParseResponse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProtocol, err)
	}
	if size == 0 {
		c.rest = slices.Clone(b)
		return nil, nil
	}
	if size < len(b) {
		return nil, fmt.Errorf("%w: %.60q without a request", errProtocol, b[size:])
	}
	request, err = c.answer(body)
	c.rest = nil
	return request, err
}

// answer takes the payload of one answer.
func (c *client) answer(payload []byte) (request []byte, err error) {
	p := c.poller
	switch {
	case p.posting:
		if string(payload) != "ok" {
			break
		}
		p.posting = false
		return wire.Get(p.host, p.sid), nil
	case c.stage == upgrading:
		if p.sid, err = wire.SessionID(payload); err != nil {
			break
		}
		c.stage = joining
		return p.post("40"), nil
	case c.stage == joining && bytes.HasPrefix(payload, []byte("40{")):
		c.stage = joined
		return wire.Get(p.host, p.sid), nil
	case string(payload) == "2":
		c.heartbeats++
		return p.post("3"), nil
	}
	return nil, fmt.Errorf("%w: payload %.60q", errProtocol, payload)
}

func (p *poller) post(payload string) []byte {
	p.posting = true
	return wire.Post(p.host, p.sid, payload)
}
