package engine

import (
	"net/http"

	"github.com/sio-gnet/sio-gnet/internal/contentcoding"
	"github.com/sio-gnet/sio-gnet/loop"
)

// maxInlineCompression is the size up to which an answer is compressed on the
// event loop; a larger one would hold up the loop's other peers.
const maxInlineCompression = 16 << 10

// contentCoding returns the coding to answer a request with, "" for none.
func contentCoding(r *loop.Request) string {
	accept := r.Get("Accept-Encoding")
	if len(accept) == 0 {
		return ""
	}
	return contentcoding.Preferred(string(accept), contentcoding.Gzip, contentcoding.Deflate, contentcoding.Brotli)
}

// respondCompressed answers a GET with a payload in the coding that its peer
// likes best, and gives the payload back.
func (q *request) respondCompressed(contentType string, body *loop.Buffer) {
	l := q.conn.Loop()
	work := func() {
		res := q.compressed(contentType, body)
		l.Post(loop.TaskFunc(func(*loop.Loop) { q.answer(res) }))
	}
	if len(body.B) <= maxInlineCompression {
		work()
		return
	}
	s := q.session.server
	s.working.Add(1)
	go func() {
		defer s.working.Add(-1)
		work()
	}()
}

func (q *request) compressed(contentType string, body *loop.Buffer) loop.Response {
	defer body.Release()
	encoded, err := contentcoding.Append(nil, q.encoding, body.B)
	if err != nil {
		q.session.server.opts.Logger.Error("engine: compression failed", "error", err)
		return loop.Response{Status: http.StatusInternalServerError}
	}
	header := []byte("Content-Encoding: " + q.encoding + "\r\nVary: Accept-Encoding\r\n")
	return loop.Response{Status: http.StatusOK, ContentType: contentType, Header: header, Body: encoded}
}
