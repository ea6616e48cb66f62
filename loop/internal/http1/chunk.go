package http1

import (
	"math"
	"net/http"
)

// Limits on what a chunked body carries beside its data. Nothing uses it, so
// they are not for the caller to set.
const (
	maxSizeDigits   = 16
	maxExtension    = 1 << 10  // bytes of chunk extensions in one line
	maxAllExtension = 16 << 10 // in one body
	maxTrailer      = 4 << 10  // bytes of all trailer lines
)

// ChunkDecoder takes the chunked transfer coding (RFC 9112, section 7.1) off a
// body that arrives in any pieces. Chunk extensions and trailers are checked and
// dropped. The zero value is ready.
type ChunkDecoder struct {
	left       int64 // data bytes to come in this chunk
	total      int64 // data bytes in complete chunks and in this one
	extensions uint16
	line       uint16 // extension bytes in this line
	trailer    uint16
	digits     uint8
	state      chunkState
}

type chunkState uint8

const (
	chunkSize      chunkState = iota
	chunkExtension            // behind a ";"
	chunkSizeLF               // the LF behind a size line
	chunkData
	chunkDataCR // the CR behind the data
	chunkDataLF
	chunkTrailer // at the start of a trailer line, or of the blank one
	chunkTrailerName
	chunkTrailerValue
	chunkTrailerLF
	chunkFinalLF // the LF of the blank line
	chunkDone
)

var (
	errChunkSize      = &Error{http.StatusBadRequest, "malformed chunk size"}
	errChunkExtension = &Error{http.StatusBadRequest, "malformed chunk extension"}
	errChunkExtLarge  = &Error{http.StatusBadRequest, "chunk extensions too large"}
	errChunkEnd       = &Error{http.StatusBadRequest, "chunk data without CRLF"}
	errTrailer        = &Error{http.StatusBadRequest, "malformed trailer"}
	errTrailerLarge   = &Error{http.StatusRequestHeaderFieldsTooLarge, "trailers too large"}
)

// Reset makes the decoder ready for the next body.
func (d *ChunkDecoder) Reset() { *d = ChunkDecoder{} }

// Decode appends the data in src, which follows what earlier calls consumed, to
// dst, and returns the result. All of src is consumed unless the body ends
// within it; then done is true and src[consumed:] belongs to the next request.
//
// A body of more than maxBody bytes of data is refused with an [*Error] of status
// 413 as soon as a chunk's size says so; a malformed one with 400, trailers of
// more than 4 KiB with 431. After an error or done the decoder needs a
// [ChunkDecoder.Reset].
func (d *ChunkDecoder) Decode(dst, src []byte, maxBody int64) (out []byte, consumed int, done bool, err error) {
	for consumed < len(src) && d.state != chunkDone {
		data := d.data(src[consumed:])
		dst = append(dst, data...)
		if consumed += len(data); len(data) > 0 {
			continue
		}
		if err := d.step(src[consumed], maxBody); err != nil {
			return dst, consumed, false, err
		}
		consumed++
	}
	return dst, consumed, d.state == chunkDone, nil
}

// Skip is [ChunkDecoder.Decode] for who passes the body on as it came: it only
// finds its end. src[:consumed] is well-formed even if there is an error.
func (d *ChunkDecoder) Skip(src []byte, maxBody int64) (consumed int, done bool, err error) {
	for consumed < len(src) && d.state != chunkDone {
		if n := len(d.data(src[consumed:])); n > 0 {
			consumed += n
			continue
		}
		if err := d.step(src[consumed], maxBody); err != nil {
			return consumed, false, err
		}
		consumed++
	}
	return consumed, d.state == chunkDone, nil
}

// data takes the chunk data off the start of src, of which there may be none.
func (d *ChunkDecoder) data(src []byte) []byte {
	if d.state != chunkData {
		return nil
	}
	n := int(min(d.left, int64(len(src))))
	if d.left -= int64(n); d.left == 0 {
		d.state = chunkDataCR
	}
	return src[:n]
}

// step takes one byte that is not data.
func (d *ChunkDecoder) step(c byte, maxBody int64) error {
	switch d.state {
	case chunkSize, chunkExtension, chunkSizeLF:
		return d.stepSize(c, maxBody)
	case chunkDataCR:
		if c != '\r' {
			return errChunkEnd
		}
		d.state = chunkDataLF
	case chunkDataLF:
		if c != '\n' {
			return errChunkEnd
		}
		d.state = chunkSize
	default:
		return d.stepTrailer(c)
	}
	return nil
}

// stepSize takes one byte of a chunk's size line.
func (d *ChunkDecoder) stepSize(c byte, maxBody int64) error {
	if d.state == chunkSizeLF {
		if c != '\n' {
			return errChunkSize
		}
		d.digits, d.line = 0, 0
		d.total += d.left
		d.state = chunkData
		if d.left == 0 {
			d.state = chunkTrailer
		}
		return nil
	}
	if c == '\r' && d.digits > 0 {
		d.state = chunkSizeLF
		return nil
	}
	if d.state == chunkSize {
		if v, ok := unhex(c); ok {
			return d.addDigit(int64(v), maxBody)
		}
		// Whitespace here is for recipients to tolerate, and where they differ.
		if d.digits == 0 || c != ';' {
			return errChunkSize
		}
		d.state = chunkExtension
	}
	d.line++
	d.extensions++
	switch {
	case d.line > maxExtension || d.extensions > maxAllExtension:
		return errChunkExtLarge
	case classes[c]&classValue == 0:
		return errChunkExtension
	}
	return nil
}

// addDigit takes the next digit of a chunk's size. It refuses the size at the
// first digit that makes it too large: no further one makes it smaller.
func (d *ChunkDecoder) addDigit(v, maxBody int64) error {
	if d.digits == 0 {
		d.left = 0
	}
	if d.digits == maxSizeDigits {
		return errChunkSize
	}
	d.digits++
	if d.left > (math.MaxInt64-v)>>4 {
		return errBodyLarge
	}
	d.left = d.left<<4 | v
	if d.left > maxBody-d.total {
		return errBodyLarge
	}
	return nil
}

// stepTrailer takes one byte behind the last chunk.
func (d *ChunkDecoder) stepTrailer(c byte) error {
	if d.state == chunkFinalLF {
		if c != '\n' {
			return errTrailer
		}
		d.state = chunkDone
		return nil
	}
	if d.state == chunkTrailer && c == '\r' {
		d.state = chunkFinalLF
		return nil
	}
	if d.trailer++; d.trailer > maxTrailer {
		return errTrailerLarge
	}
	switch d.state {
	case chunkTrailer, chunkTrailerName:
		switch {
		case classes[c]&classToken != 0:
			d.state = chunkTrailerName
		case c == ':' && d.state == chunkTrailerName:
			d.state = chunkTrailerValue
		default:
			return errTrailer
		}
	case chunkTrailerValue:
		switch {
		case c == '\r':
			d.state = chunkTrailerLF
		case classes[c]&classValue == 0:
			return errTrailer
		}
	case chunkTrailerLF:
		if c != '\n' {
			return errTrailer
		}
		d.state = chunkTrailer
	}
	return nil
}
