package sio_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	sio "github.com/sio-gnet/sio-gnet"
)

// TestPerMessageDeflate sends broadcasts to a client that offers compression.
func TestPerMessageDeflate(t *testing.T) {
	long := strings.Repeat("hello ", 500)
	for _, tt := range []struct {
		name       string
		deflate    *sio.Deflate
		message    string
		compress   func(b sio.Broadcast) sio.Broadcast
		compressed bool
	}{
		{name: "E64 off by default", message: long},
		{name: "on", deflate: &sio.Deflate{}, message: long, compressed: true},
		{name: "below the threshold", deflate: &sio.Deflate{}, message: "hello"},
		{name: "a threshold of one's own", deflate: &sio.Deflate{Threshold: 100}, message: long[:120], compressed: true},
		{
			name: "W14 S6.7 not to be compressed", deflate: &sio.Deflate{ServerContextTakeover: true}, message: long,
			compress: func(b sio.Broadcast) sio.Broadcast { return b.Compress(false) },
		},
		{
			name: "S6.7 to be compressed", deflate: &sio.Deflate{}, message: long, compressed: true,
			compress: func(b sio.Broadcast) sio.Broadcast { return b.Compress(false).Compress(true) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) { o.PerMessageDeflate = tt.deflate })
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			offer := wsflate.Parameters{}
			dialer := ws.Dialer{Extensions: []httphead.Option{offer.Option()}}
			conn, in, answer, err := dialer.Dial(ctx, "ws://"+f.addr+"/socket.io/?EIO=4&transport=websocket")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if agreed := len(answer.Extensions) > 0; agreed != (tt.deflate != nil) {
				t.Errorf("agreed on %v", answer.Extensions)
			}
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("40"))))); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a socket", func() bool { return len(f.Sockets()) == 1 })
			b := f.To(f.Sockets()[0].ID())
			if tt.compress != nil {
				b = tt.compress(b)
			}
			if err := b.Emit("text", tt.message, []byte(tt.message)); err != nil {
				t.Fatal(err)
			}

			var source io.Reader = conn
			if in != nil {
				source = io.MultiReader(io.LimitReader(in, int64(in.Buffered())), conn)
			}
			want := []string{`451-["text","` + tt.message + `",{"_placeholder":true,"num":0}]`, tt.message}
			for len(want) > 0 {
				h, err := ws.ReadHeader(source)
				if err != nil {
					t.Fatal(err)
				}
				frame := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
				if _, err := io.ReadFull(source, frame.Payload); err != nil {
					t.Fatal(err)
				}
				if head := frame.Payload[0]; head == '0' || bytes.HasPrefix(frame.Payload, []byte("40{")) {
					continue
				}
				if frame.Header.Rsv1() != tt.compressed {
					t.Errorf("frame header %+v", frame.Header)
				}
				if frame.Header.Rsv1() {
					if frame, err = wsflate.DecompressFrame(frame); err != nil {
						t.Fatal(err)
					}
				}
				if string(frame.Payload) != want[0] {
					t.Errorf("got %.80q, want %.80q", frame.Payload, want[0])
				}
				want = want[1:]
			}
		})
	}
}
