package stats

// Flight are the messages of one sender that wait for their answers. They are numbered
// from 0. The zero value is ready; it has no memory of its own while nothing waits.
type Flight struct {
	sent    uint64  // the number of the next message
	done    uint64  // all below this are answered
	highest uint64  // the highest number that is answered, plus 1
	given   uint64  // all below this were given up, if they are not answered
	times   []int64 // from done on; answered ones are answered
}

const answered = -1 << 63

// Send notes a message that was to be sent at a time, and returns its number.
func (f *Flight) Send(at int64) uint64 {
	f.times = append(f.times, at)
	f.sent++
	return f.sent - 1
}

// Answer judges the answer to the message n, and returns when that was to be sent. It is
// not ok for a number that was never sent. given says that it was given up before.
func (f *Flight) Answer(n uint64) (at int64, v Verdict, given, ok bool) {
	at, v, ok = f.answer(n)
	return at, v, n < f.given, ok
}

// GiveUp gives the messages up that were to be sent before a time and have no answer, and
// returns how many they are. An answer that comes nevertheless is taken.
func (f *Flight) GiveUp(before int64) (n int) {
	for f.given = max(f.given, f.done); f.given < f.sent; f.given++ {
		at := f.times[f.given-f.done]
		if at >= before {
			break
		}
		if at != answered {
			n++
		}
	}
	return n
}

func (f *Flight) answer(n uint64) (at int64, v Verdict, ok bool) {
	if n >= f.sent {
		return 0, Double, false
	}
	if n < f.done || f.times[n-f.done] == answered {
		return 0, Double, true
	}
	at = f.times[n-f.done]
	f.times[n-f.done] = answered
	if n < f.highest {
		v = Late
	} else {
		f.highest = n + 1
	}
	skip := 0
	for skip < len(f.times) && f.times[skip] == answered {
		skip++
	}
	f.done += uint64(skip)
	if skip == len(f.times) && cap(f.times) > keepTimes {
		f.times = nil
	} else {
		f.times = f.times[:copy(f.times, f.times[skip:])]
	}
	return at, v, true
}

// keepTimes is how many times an idle sender may have room for.
const keepTimes = 16

// Sent returns how many messages there were.
func (f *Flight) Sent() uint64 { return f.sent }

// Waiting returns how many messages have no answer.
func (f *Flight) Waiting() (n int) {
	for _, at := range f.times {
		if at != answered {
			n++
		}
	}
	return n
}
