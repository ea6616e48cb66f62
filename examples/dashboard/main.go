// Command dashboard shows how the process is doing, live: it takes a sample each
// second and pushes it to everyone who is watching.
package main

import (
	"embed"
	"log"
	"net/http"
	"os"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/clientbundle"
)

//go:embed index.html
var site embed.FS

func main() {
	addr := "localhost:3000"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	client, err := clientbundle.FS()
	if err != nil {
		log.Fatal(err)
	}
	io, err := sio.New(&sio.Options{ClientFiles: client, Handler: http.FileServerFS(site)})
	if err != nil {
		log.Fatal(err)
	}
	d := &dashboard{io: io, recent: []sample{}}
	io.OnConnection(d.welcome)
	io.OnEvent("load", work)
	go d.run(time.Second)
	log.Fatal(io.ListenAndServe(addr))
}

type sample struct {
	At         int64  `json:"at"` // in milliseconds
	Clients    int    `json:"clients"`
	Goroutines uint64 `json:"goroutines"`
	Heap       uint64 `json:"heap"`      // bytes
	Allocated  uint64 `json:"allocated"` // bytes since the sample before
}

type dashboard struct {
	io     *sio.Server
	mu     sync.Mutex
	recent []sample
}

const keep = 120 // samples, for those who come later

// welcome shows a newcomer the last minutes. The lock keeps a new sample from
// going out before them.
func (d *dashboard) welcome(s *sio.Socket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Emit("recent", d.recent)
}

// run takes a sample each period. One that a slow client can't take is dropped
// for it: the next one will be there in a moment.
func (d *dashboard) run(period time.Duration) {
	var before uint64
	for range time.Tick(period) {
		now, total := measure(d.io.Clients())
		now.Allocated, before = total-before, total
		d.mu.Lock()
		d.recent = append(d.recent[max(0, len(d.recent)-keep+1):], now)
		d.io.Volatile().Emit("sample", now)
		d.mu.Unlock()
	}
}

func measure(clients int) (s sample, allocated uint64) {
	read := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(read)
	s = sample{At: time.Now().UnixMilli(), Clients: clients}
	s.Goroutines, s.Heap = read[0].Value.Uint64(), read[1].Value.Uint64()
	return s, read[2].Value.Uint64()
}

// work gives the dashboard something to show, for a few seconds.
func work() {
	for range 50 {
		go func() {
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				_ = strings.Repeat("work", 16<<10)
			}
		}()
	}
}
