package sio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Handshake is what a client said when it connected.
type Handshake struct {
	// Headers are those of the request that opened the connection.
	Headers http.Header
	// Query holds that request's parameters.
	Query url.Values
	// Auth is the JSON object that the client sent to join the namespace; "{}"
	// if it sent none.
	Auth json.RawMessage
	// RemoteAddr is the client's address: the one that a trusted proxy named (see
	// [Options] and [ProxyProtocol]), else the peer's. Its port is 0 where the proxy
	// did not say. It is not valid on a unix socket.
	RemoteAddr netip.AddrPort
	// Time is when the connection was opened.
	Time time.Time
	// Secure says whether the client's connection is encrypted, up to the first
	// trusted proxy.
	Secure bool
	// CrossDomain says whether the request had an Origin header.
	CrossDomain bool
	// URL is the request's path with its query.
	URL string
}

// DecodeAuth stores what the client sent to join the namespace in what dst points
// to.
func (h *Handshake) DecodeAuth(dst any) error {
	if err := json.Unmarshal(h.Auth, dst); err != nil {
		return fmt.Errorf("sio: auth data: %w", err)
	}
	return nil
}

// Handshake returns what the client said when it connected, as a copy of the
// caller's own: it is put together anew on each call.
func (s *Socket) Handshake() *Handshake {
	info := s.client.session.Request()
	h := &Handshake{
		Headers: info.Header(), Query: info.Query(), Auth: json.RawMessage("{}"),
		RemoteAddr: info.Remote, Secure: info.Secure, Time: info.Opened, URL: info.Target,
	}
	if len(s.auth) > 0 {
		h.Auth = append(json.RawMessage(nil), s.auth...)
	}
	h.CrossDomain = h.Headers.Get("Origin") != ""
	return h
}
