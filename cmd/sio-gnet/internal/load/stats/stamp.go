package stats

// Stamp tells a message from all others. It is what each message begins with, in
// characters that no encoding changes.
type Stamp struct {
	Run    uint32 // 24 bits
	Group  uint32 // who gets it, 24 bits
	Sender uint32 // 24 bits
	Seq    uint64 // 36 bits, from 0 for each sender
	At     int64  // when it was to be sent, in ns of the reactor's clock, 48 bits
}

// StampSize is the size of a stamp in bytes.
const StampSize = 26

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

var values = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range len(digits) {
		v[digits[i]] = byte(i)
	}
	return v
}()

// Append appends the stamp.
func (s Stamp) Append(dst []byte) []byte {
	dst = appendNumber(dst, uint64(s.Run), 4)
	dst = appendNumber(dst, uint64(s.Group), 4)
	dst = appendNumber(dst, uint64(s.Sender), 4)
	dst = appendNumber(dst, s.Seq, 6)
	return appendNumber(dst, uint64(s.At), 8)
}

func appendNumber(dst []byte, n uint64, size int) []byte {
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, digits[n>>(6*i)&63])
	}
	return dst
}

// ParseStamp reads the stamp at the start of b; ok says whether there is one.
func ParseStamp(b []byte) (s Stamp, ok bool) {
	if len(b) < StampSize {
		return s, false
	}
	var bad byte
	number := func(from, size int) (n uint64) {
		for _, c := range b[from : from+size] {
			v := values[c]
			bad |= v
			n = n<<6 | uint64(v&63)
		}
		return n
	}
	s.Run = uint32(number(0, 4))
	s.Group = uint32(number(4, 4))
	s.Sender = uint32(number(8, 4))
	s.Seq = number(12, 6)
	s.At = int64(number(18, 8))
	return s, bad < 64
}
