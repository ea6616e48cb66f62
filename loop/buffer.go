package loop

import (
	"sync"
	"sync/atomic"

	"github.com/valyala/bytebufferpool"
)

// Buffer is a pooled, reference-counted run of bytes. It is filled by one
// owner, immutable once it was enqueued, and goes back to its pool with the
// last reference. Methods may be called from any goroutine that holds a
// reference; B may only be changed by the sole owner before the first Enqueue.
type Buffer struct {
	B []byte

	refs   atomic.Int32
	pooled *bytebufferpool.ByteBuffer

	// Compressed forms of the message that B holds, made by the first loop that
	// wants one while it holds making. They live as long as the Buffer.
	deflated atomic.Pointer[deflatedForm]
	making   sync.Mutex
}

var (
	buffers    = sync.Pool{New: func() any { return new(Buffer) }}
	frameBytes bytebufferpool.Pool // output: frames and responses
	inputBytes bytebufferpool.Pool // input that outlives a read: partial heads, bodies, messages
)

// NewBuffer returns an empty buffer that holds one reference.
func NewBuffer() *Buffer {
	b := buffers.Get().(*Buffer)
	b.pooled = frameBytes.Get()
	b.B = b.pooled.B[:0]
	b.refs.Store(1)
	return b
}

// Retain adds n references.
func (b *Buffer) Retain(n int) { b.refs.Add(int32(n)) }

// Release gives one reference back. The caller must not touch b afterwards.
func (b *Buffer) Release() { b.ReleaseN(1) }

// ReleaseN gives n references back.
func (b *Buffer) ReleaseN(n int) {
	switch left := b.refs.Add(int32(-n)); {
	case left > 0:
		return
	case left < 0:
		panic("loop: Buffer released more often than retained")
	}
	b.dropDeflated()
	b.pooled.B = b.B
	frameBytes.Put(b.pooled)
	b.B, b.pooled = nil, nil
	buffers.Put(b)
}
