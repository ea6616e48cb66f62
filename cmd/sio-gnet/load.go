package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/client"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/report"
	"github.com/sio-gnet/sio-gnet/cmd/sio-gnet/internal/load/scenario"
)

// Exit codes of load, besides those of all commands.
const (
	exitThreshold   = 3 // a threshold was crossed
	exitInterrupted = 4 // a signal ended the run; the report is of a part of it
)

// codeError is an error with an exit code of its own.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

type loadCommand struct {
	Run     loadRunCommand     `cmd:"" default:"withargs" hidden:"" help:"Put load on a Socket.IO server, and measure it. \"sio-gnet load compare A B\" compares two results that --json wrote. Exit codes: 0, 1 if there is no result, 2 for a wrong flag or file, 3 if a threshold was crossed, 4 if the run was interrupted."`
	Compare loadCompareCommand `cmd:"" help:"Compare two results that --json wrote."`
}

type loadRunCommand struct {
	URL string `arg:"" help:"The server, such as http://localhost:3000 or https://example.com."`

	Scenario string `enum:"idle,connect,echo,bcast,fanout,rooms,presence" default:"echo" group:"What" help:"idle: hold clients. connect: connect again and again. echo: messages come back. bcast: some send to all. fanout: one sends to all. rooms: each sends to its room. presence: join and leave rooms."`
	File     string `placeholder:"FILE" group:"What" help:"A YAML file with several scenarios at once, in place of --scenario and the flags of this group."`
	Clients  int    `short:"c" default:"100" group:"What" help:"How many clients."`

	Rate     float64       `short:"r" group:"What" help:"How much happens a second, by all clients together: messages, or joins and leaves, or new connections. Latencies count from when a message was to be sent. 0: by --window."`
	Window   int           `short:"w" group:"What" help:"How many messages of a client may be under way at once, without --rate; 1 if not given."`
	Size     int           `default:"64" group:"What" help:"Size of a message's data in bytes."`
	Binary   bool          `group:"What" help:"Send binary data, not text."`
	Event    string        `placeholder:"NAME" group:"What" help:"Event to send, in place of echo, bcast or rcast."`
	Answer   string        `enum:"ack,event" default:"ack" group:"What" help:"echo: whether the server acknowledges, or sends an event with the same data."`
	Senders  int           `group:"What" help:"bcast: how many of the clients send; 10 if not given."`
	RoomSize int           `default:"10" group:"What" help:"rooms, presence: clients in a room."`
	Storm    time.Duration `group:"What" help:"connect: cut all connections at once, this often."`

	Duration time.Duration `short:"d" default:"10s" group:"When" help:"How long is measured."`
	Warmup   time.Duration `default:"2s" group:"When" help:"How long is sent before, without measuring."`
	Drain    time.Duration `default:"5s" group:"When" help:"How long to wait in the end for what has not come."`
	GiveUp   time.Duration `default:"5s" group:"When" help:"After which time a message without an answer no longer takes room in its window."`

	ConnectRate float64       `group:"Connecting" help:"Clients that connect a second. 0: as fast as the server takes them."`
	Connecting  int           `default:"200" group:"Connecting" help:"How many may be on their way in at once, without --connect-rate."`
	JoinTimeout time.Duration `default:"20s" group:"Connecting" help:"How long connecting, and then joining, may take."`
	SourceIPs   string        `name:"source-ips" placeholder:"LIST" group:"Connecting" help:"Local addresses to connect from, in turn: addresses and networks, or auto for as many of 127.0.0.0/8 as are needed. One address has some 28,000 ports."`
	Insecure    bool          `group:"Connecting" help:"Do not verify the server's certificate."`

	Transport string   `enum:"websocket,polling,upgrade" default:"websocket" group:"Protocol" help:"websocket, polling, or upgrade (polling first)."`
	EIO       int      `name:"eio" enum:"4,3" default:"4" group:"Protocol" help:"Engine.IO revision: 4, or 3 for servers of Socket.IO 2."`
	Path      string   `default:"/socket.io" group:"Protocol" help:"Path that the server answers on."`
	Namespace string   `short:"n" default:"/" group:"Protocol" help:"Namespace to join."`
	Auth      string   `placeholder:"JSON" group:"Protocol" help:"Object to authenticate with, as the client's auth option."`
	Header    []string `short:"H" sep:"none" placeholder:"'NAME: VALUE'" group:"Protocol" help:"A header for each request; repeatable."`
	Msgpack   bool     `group:"Protocol" help:"Packets as socket.io-msgpack-parser writes them."`
	Deflate   string   `enum:"off,on,takeover" default:"off" group:"Protocol" help:"Offer permessage-deflate: on, or takeover to let the server keep its window between messages."`

	JSON  string   `name:"json" placeholder:"FILE" group:"Report" help:"Write the result as JSON; - for standard output."`
	HTML  string   `name:"html" placeholder:"FILE" group:"Report" help:"Write the result as a page with plots."`
	Fail  []string `sep:"none" placeholder:"CONDITION" group:"Report" help:"Fail (exit code 3) if the condition holds, such as 'p99>50ms' or 'lost>0'; repeatable."`
	PID   int      `name:"pid" group:"Report" help:"The server's process, to measure its processor time and memory."`
	Loops int      `default:"1" group:"Report" help:"Event loops of this tool; each takes a processor."`
	Quiet bool     `short:"q" group:"Report" help:"No progress."`
}

type loadCompareCommand struct {
	A string `arg:"" help:"The result to compare with."`
	B string `arg:"" help:"The result to judge."`
}

// config turns the flags into what is to be run, and says what is wrong with them.
func (c *loadRunCommand) config() (*load.Config, error) {
	target, err := load.ParseTarget(c.URL)
	if err != nil {
		return nil, err
	}
	cfg := &load.Config{
		Tool: "sio-gnet " + version(), Target: target,
		ConnectRate: c.ConnectRate, Connecting: c.Connecting, JoinTimeout: c.JoinTimeout,
		Warmup: c.Warmup, Duration: c.Duration, Drain: c.Drain, GiveUp: c.GiveUp, Interval: time.Second,
		Loops: c.Loops, PID: c.PID, Insecure: c.Insecure,
	}
	if cfg.Sources, cfg.AutoSources, err = load.ParseSources(c.SourceIPs); err != nil {
		return nil, fmt.Errorf("--source-ips: %w", err)
	}
	if cfg.Client, err = c.client(); err != nil {
		return nil, err
	}
	if cfg.Parts, err = c.parts(); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
		least time.Duration
	}{
		{"--duration", c.Duration, time.Millisecond},
		{"--warmup", c.Warmup, 0},
		{"--drain", c.Drain, 0},
		{"--give-up", c.GiveUp, time.Millisecond},
		{"--join-timeout", c.JoinTimeout, time.Millisecond},
	} {
		if d.value < d.least || d.value > load.MaxDuration {
			return nil, fmt.Errorf("%s must be from %v to %v, not %v", d.flag, d.least, load.MaxDuration, d.value)
		}
	}
	switch {
	case c.Loops < 1 || c.Loops > maxLoops:
		return nil, fmt.Errorf("--loops must be from 1 to %d, not %d", maxLoops, c.Loops)
	case c.Connecting < 1 || c.Connecting > load.MaxConnecting:
		return nil, fmt.Errorf("--connecting must be from 1 to %d, not %d", load.MaxConnecting, c.Connecting)
	case !(c.ConnectRate >= 0) || c.ConnectRate > scenario.MaxRate:
		return nil, fmt.Errorf("--connect-rate must be from 0 to %.0f, not %v", scenario.MaxRate, c.ConnectRate)
	case c.PID < 0:
		return nil, fmt.Errorf("--pid must be a process, not %d", c.PID)
	}
	for _, condition := range c.Fail {
		if _, err := report.ParseThreshold(condition); err != nil {
			return nil, fmt.Errorf("--fail: %w", err)
		}
	}
	return cfg, nil
}

func (c *loadRunCommand) client() (cfg client.Config, err error) {
	cfg = client.Config{
		Path: strings.TrimSuffix(c.Path, "/") + "/", EIO: c.EIO, Namespace: c.Namespace, MessagePack: c.Msgpack,
		Transport:  map[string]client.Transport{"websocket": client.WebSocket, "polling": client.Polling, "upgrade": client.Upgrade}[c.Transport],
		Deflate:    map[string]client.Deflate{"off": client.NoDeflate, "on": client.Deflated, "takeover": client.DeflateTakeover}[c.Deflate],
		MaxMessage: 2*scenario.MaxSize + 1<<16,
	}
	switch {
	case !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?# \r\n"):
		return cfg, fmt.Errorf("--path must be a path such as /socket.io, not %q", c.Path)
	case !strings.HasPrefix(c.Namespace, "/") || strings.ContainsAny(c.Namespace, ",?\"\\\r\n"):
		return cfg, fmt.Errorf("--namespace must begin with / and have no comma, not %q", c.Namespace)
	case c.Deflate != "off" && c.Transport == "polling":
		return cfg, errors.New("--deflate is for WebSockets, not for --transport polling")
	case c.Auth != "" && c.EIO == 3:
		return cfg, errors.New("--auth is not known to EIO 3; put it into the URL's query or a --header")
	}
	if c.Auth != "" {
		var object map[string]any
		if err := json.Unmarshal([]byte(c.Auth), &object); err != nil || object == nil {
			return cfg, fmt.Errorf("--auth must be an object of JSON, not %q", c.Auth)
		}
		cfg.Auth = []byte(c.Auth)
	}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok || textproto.TrimString(name) != name || name == "" || strings.ContainsAny(h, "\r\n") {
			return cfg, fmt.Errorf("--header must be of the form 'Name: value', not %q", h)
		}
		cfg.Header += name + ": " + strings.TrimSpace(value) + "\r\n"
	}
	return cfg, nil
}

func (c *loadRunCommand) parts() ([]scenario.Part, error) {
	if c.File != "" {
		return scenario.ReadFile(c.File)
	}
	p := scenario.Part{
		Kind: scenario.Kind(c.Scenario), Clients: c.Clients, Rate: c.Rate, Window: c.Window,
		Size: c.Size, Binary: c.Binary, Event: c.Event, Answer: c.Answer,
		Senders: c.Senders, RoomSize: c.RoomSize, Storm: c.Storm,
	}.WithDefaults()
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	return []scenario.Part{p}, nil
}

// run runs the test and writes its reports.
func (c *loadRunCommand) run(stdout, stderr *os.File) error {
	cfg, err := c.config()
	if err != nil {
		return &usageError{err}
	}
	files, err := c.create(stdout)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	var progress *report.Progress
	if !c.Quiet {
		progress = report.NewProgress(stderr, cfg.Total())
		cfg.Progress = progress.Show
	}
	r, err := load.Run(ctx, cfg)
	if progress != nil {
		progress.End()
	}
	if err != nil {
		return errors.Join(err, files.remove())
	}
	for _, condition := range c.Fail {
		t, err := report.ParseThreshold(condition)
		if err != nil {
			return &usageError{err}
		}
		crossed, err := t.Crossed(r)
		if err != nil {
			return &usageError{fmt.Errorf("--fail %s: %w", condition, err)}
		}
		if crossed != "" {
			r.Crossed = append(r.Crossed, crossed)
		}
	}
	if err := files.write(r); err != nil {
		return err
	}
	if c.JSON != "-" {
		if err := r.Text(stdout); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
	}
	switch {
	case r.Partial:
		return &codeError{exitInterrupted, errors.New("interrupted; the report is of a part of the run")}
	case len(r.Crossed) > 0:
		return &codeError{exitThreshold, fmt.Errorf("failed: %s", strings.Join(r.Crossed, "; "))}
	}
	return nil
}

// reportFiles are opened before the run: that one can't be written is said before.
type reportFiles struct {
	json, html io.Writer
	open       []*os.File
}

func (c *loadRunCommand) create(stdout *os.File) (files reportFiles, err error) {
	for _, f := range []struct {
		path string
		to   *io.Writer
	}{{c.JSON, &files.json}, {c.HTML, &files.html}} {
		switch f.path {
		case "":
		case "-":
			*f.to = stdout
		default:
			file, err := os.Create(filepath.Clean(f.path))
			if err != nil {
				return files, errors.Join(err, files.remove())
			}
			files.open = append(files.open, file)
			*f.to = file
		}
	}
	return files, nil
}

// remove takes empty files away again.
func (f *reportFiles) remove() error {
	var errs []error
	for _, file := range f.open {
		errs = append(errs, file.Close(), os.Remove(file.Name()))
	}
	return errors.Join(errs...)
}

func (f *reportFiles) write(r *report.Result) error {
	var errs []error
	if f.json != nil {
		errs = append(errs, r.Write(f.json))
	}
	if f.html != nil {
		errs = append(errs, r.HTML(f.html))
	}
	for _, file := range f.open {
		errs = append(errs, file.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// run compares two results.
func (c *loadCompareCommand) run(stdout io.Writer) error {
	a, err := report.Read(c.A)
	if err != nil {
		return &usageError{err}
	}
	b, err := report.Read(c.B)
	if err != nil {
		return &usageError{err}
	}
	return report.Compare(stdout, a, b) //nolint:wrapcheck // it says all there is
}
