package apptest

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/sio-gnet/sio-gnet/internal/testkit"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// Client is one socket, whose arguments are as encoding/json decodes them, with
// []byte where there was binary data.
type Client struct{ *siotest.Client }

// Text shows arguments as JSON, with binary data in base64.
func Text(args []any) string {
	text, err := json.Marshal(args)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Connect joins a namespace of the server at addr. auth is encoded as JSON, unless
// it is nil. A refusal is returned as the message that came.
func Connect(tb testing.TB, addr, namespace string, auth any) (c *Client, refusal string) {
	tb.Helper()
	opts := []siotest.Option{siotest.Namespace(namespace)}
	if auth != nil {
		opts = append(opts, siotest.Auth(auth))
	}
	client, err := siotest.TryDial(tb, "http://"+addr, opts...)
	if refused, ok := errors.AsType[*siotest.ConnectError](err); ok {
		return nil, refused.Message
	}
	if err != nil {
		tb.Fatal(err)
	}
	return &Client{client}, ""
}

// Call sends an event and returns what it is acknowledged with.
func (c *Client) Call(event string, args ...any) []any { return c.Client.Call(event, args...).Any() }

// Wait returns the next event of that name. Others are kept.
func (c *Client) Wait(name string) []any { return c.Expect(name).Any() }

// Eventually waits until a condition holds.
func Eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	testkit.Eventually(tb, patience, what, holds)
}
