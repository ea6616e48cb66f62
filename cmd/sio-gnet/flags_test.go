package main

import (
	"context"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// parse reads a command line as dispatch does, up to where it would serve.
func parse(t *testing.T, args ...string) (*serveCommand, error) {
	t.Helper()
	var cli commandLine
	parser, err := kong.New(&cli)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return &cli.Serve, err
}

// flag is one of serve's, with values that are not its default.
type flag struct {
	name, value, other string
	want               any // what value becomes
}

var flags = []flag{
	{"app", "hello", "bench", "hello"},
	{"addr", ":1,unix:/a", ":2", []string{":1", "unix:/a"}},
	{"path", "/a", "/b", "/a"},
	{"ping-interval", "1s", "2s", time.Second},
	{"ping-timeout", "1s", "2s", time.Second},
	{"connect-timeout", "1s", "2s", time.Second},
	{"upgrade-timeout", "1s", "2s", time.Second},
	{"drain-timeout", "1s", "2s", time.Second},
	{"max-payload", "1", "2", 1},
	{"origins", "https://a.example,http://b.example:81", "*", []string{"https://a.example", "http://b.example:81"}},
	{"allow-eio3", "true", "false", true},
	{"deflate", "true", "false", true},
	{"deflate-client-takeover", "true", "false", true},
	{"max-connections-per-address", "1", "2", 1},
	{"handshakes-per-second", "0.5", "2", 0.5},
	{"trusted-proxies", "10.0.0.0/8,::1,unix", "10.0.0.1", []string{"10.0.0.0/8", "::1", "unix"}},
	{"forwarded", "true", "false", true},
	{"proxy-protocol", "true", "false", true},
	{"loops", "1", "2", 1},
	{"log-level", "debug", "warn", "debug"},
	{"log-format", "json", "text", "json"},
	{"blocking-handlers", "true", "false", true},
}

func (f flag) variable() string {
	return "SIO_" + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
}

// field returns what the flag has set.
func (f flag) field(t *testing.T, c *serveCommand) any {
	t.Helper()
	field := reflect.ValueOf(c).Elem().FieldByNameFunc(func(name string) bool {
		return strings.EqualFold(name, strings.ReplaceAll(f.name, "-", ""))
	})
	if !field.IsValid() {
		t.Fatalf("--%s has no field", f.name)
	}
	return field.Interface()
}

// Every flag of serve has a variable of its name, and a row in the table of
// these tests.
func TestEveryFlagHasAVariable(t *testing.T) {
	var cli commandLine
	parser, err := kong.New(&cli)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]flag)
	for _, f := range flags {
		known[f.name] = f
	}
	for _, node := range parser.Model.Children {
		for _, f := range node.Flags {
			if got, want := strings.Join(f.Envs, " "), known[f.Name].variable(); got != want {
				t.Errorf("--%s has the variable %q, want %q", f.Name, got, want)
			}
			delete(known, f.Name)
		}
	}
	if len(known) > 0 {
		t.Errorf("there are no such flags: %v", known)
	}
}

func TestFlagsAndVariables(t *testing.T) {
	for _, f := range flags {
		t.Run(f.name, func(t *testing.T) {
			c, err := parse(t, "--"+f.name+"="+f.value)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.field(t, c); !reflect.DeepEqual(got, f.want) {
				t.Errorf("the flag sets %v, want %v", got, f.want)
			}
			t.Setenv(f.variable(), f.value)
			if c, err = parse(t); err != nil {
				t.Fatal(err)
			}
			if got := f.field(t, c); !reflect.DeepEqual(got, f.want) {
				t.Errorf("the variable sets %v, want %v", got, f.want)
			}
			t.Setenv(f.variable(), f.other)
			if c, err = parse(t, "--"+f.name+"="+f.value); err != nil {
				t.Fatal(err)
			}
			if got := f.field(t, c); !reflect.DeepEqual(got, f.want) {
				t.Errorf("with flag and variable it is %v, want the flag's %v", got, f.want)
			}
		})
	}
}

// What the flags say reaches the server.
func TestFlagsTakeEffect(t *testing.T) {
	p := start(t, []string{"SIO_PING_INTERVAL=31s", "SIO_PING_TIMEOUT=32s", "SIO_MAX_PAYLOAD=1234", "SIO_PATH=/over"},
		"--ping-interval=33s", "--path=/io/")
	status, body := p.open(t, "/io")
	if status != 200 || !strings.Contains(body, `"pingInterval":33000,"pingTimeout":32000,"maxPayload":1234`) {
		t.Errorf("the handshake got %d %q", status, body)
	}
	if status, _ := p.open(t, "/over"); status != 404 {
		t.Errorf("the other path got %d", status)
	}
}

// --deflate reaches the server: it agrees to compress; without context takeover,
// unless --deflate-client-takeover is given for one direction.
func TestDeflateTakesEffect(t *testing.T) {
	const (
		none   = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		client = "permessage-deflate; server_no_context_takeover"
	)
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{name: "default"},
		{name: "flag", args: []string{"--deflate"}, want: none},
		{name: "variable", env: []string{"SIO_DEFLATE=true"}, want: none},
		{name: "takeover", args: []string{"--deflate-client-takeover"}, want: client},
		{name: "takeover by variable", env: []string{"SIO_DEFLATE_CLIENT_TAKEOVER=true"}, want: client},
		{name: "both", args: []string{"--deflate", "--deflate-client-takeover"}, want: client},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, tt.env, tt.args...)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			dialer := ws.Dialer{Extensions: []httphead.Option{wsflate.Parameters{}.Option()}}
			conn, _, answer, err := dialer.Dial(ctx, strings.Replace(p.url, "http:", "ws:", 1)+"/socket.io/?EIO=4&transport=websocket")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var words []string
			for _, extension := range answer.Extensions {
				words = append(words, string(extension.Name))
				extension.Parameters.ForEach(func(name, _ []byte) bool {
					words = append(words, string(name))
					return true
				})
			}
			got := strings.Join(words, "; ")
			if got != tt.want {
				t.Errorf("agreed on %q, want %q", got, tt.want)
			}
		})
	}
}

var complaint = regexp.MustCompile(`^sio-gnet: .+ \(see sio-gnet serve --help\)\n$`)

func TestBadFlags(t *testing.T) {
	for _, tt := range []struct {
		name, args, env string
		want            string // on standard error
	}{
		{"unknown flag", "serve --nonsense", "", "--nonsense"},
		{"unknown flag before the command", "--nonsense", "", "--nonsense"},
		{"unknown command", "nonsense", "", "nonsense"},
		{"further argument", "serve nonsense", "", "nonsense"},
		{"value missing", "serve --app", "", "--app"},
		{"app", "serve --app nonsense", "", `--app must be one of "chat","hello","bench" but got "nonsense"`},
		{"addr", "serve --addr=", "", "--addr"},
		{"path without slash", "serve --path bad", "", "--path"},
		{"path of a slash", "serve --path /", "", "--path"},
		{"path of another host", "serve --path //example.com/x", "", "--path"},
		{"path upwards", "serve --path /../x", "", "--path"},
		{"path with query", "serve --path /a?b", "", "--path"},
		{"path with quotes", `serve --path /"`, "", "--path"},
		{"ping interval", "serve --ping-interval 0", "", "--ping-interval"},
		{"ping interval without unit", "serve --ping-interval 25", "", "--ping-interval"},
		{"ping timeout", "serve --ping-timeout=-1s", "", "--ping-timeout"},
		{"connect timeout", "serve --connect-timeout 0s", "", "--connect-timeout"},
		{"upgrade timeout", "serve --upgrade-timeout 1us", "", "--upgrade-timeout"},
		{"drain timeout", "serve --drain-timeout 0", "", "--drain-timeout"},
		{"max payload", "serve --max-payload 0", "", "--max-payload"},
		{"max payload beyond numbers", "serve --max-payload 99999999999999999999", "", "--max-payload"},
		{"origin without scheme", "serve --origins example.com", "", "--origins"},
		{"origin with path", "serve --origins *,https://example.com/", "", "--origins"},
		{"one of several addrs", "serve --addr=,:0", "", "--addr"},
		{"trusted proxies", "serve --trusted-proxies 10.0.0.0/8,example.com", "", "--trusted-proxies"},
		{"trusted proxies with too large a network", "serve --trusted-proxies 10.0.0.0/33", "", "--trusted-proxies"},
		{"trusted proxies with a zone", "serve --trusted-proxies fe80::1%eth0", "", "--trusted-proxies"},
		{"sockets of systemd, without it", "serve --addr systemd", "", "no sockets were passed"},
		{"connections per address", "serve --max-connections-per-address=-1", "", "--max-connections-per-address"},
		{"handshakes per second", "serve --handshakes-per-second=-1", "", "--handshakes-per-second"},
		{"handshakes per second that are no number", "serve --handshakes-per-second=nan", "", "--handshakes-per-second"},
		{"loops", "serve --loops=-1", "", "--loops"},
		{"too many loops", "serve --loops 257", "", "--loops"},
		{"log level", "serve --log-level nonsense", "", "--log-level"},
		{"log format", "serve --log-format xml", "", "--log-format"},
		{"blocking handlers", "serve --blocking-handlers=nonsense", "", "--blocking-handlers"},
		{"variable of enum", "serve", "SIO_APP=nonsense", "--app"},
		{"variable of duration", "serve", "SIO_PING_INTERVAL=soon", "SIO_PING_INTERVAL"},
		{"variable of number", "serve", "SIO_MAX_PAYLOAD=1MB", "SIO_MAX_PAYLOAD"},
		{"variable of bool", "serve", "SIO_BLOCKING_HANDLERS=maybe", "SIO_BLOCKING_HANDLERS"},
		{"variable that is checked later", "serve", "SIO_LOOPS=-1", "--loops"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := end(t, strings.Fields(tt.env), strings.Fields(tt.args)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			if !complaint.MatchString(stderr) || !strings.Contains(stderr, tt.want) {
				t.Errorf("stderr %q, want one line with %q", stderr, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "serve --help", "serve -h --app chat"} {
		t.Run(args, func(t *testing.T) {
			code, stdout, stderr := end(t, nil, strings.Fields(args)...)
			if code != exitOK || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			for _, f := range flags {
				if !strings.Contains(stdout, "--"+f.name) || !strings.Contains(stdout, "($"+f.variable()+")") {
					t.Errorf("it does not mention --%s and its variable:\n%s", f.name, stdout)
				}
			}
			for line := range strings.Lines(stdout) {
				if len(line) > 101 {
					t.Errorf("a line is too long for a terminal: %q", line)
				}
			}
		})
	}
	_, stdout, _ := end(t, nil, "--help")
	for _, text := range []string{"Usage: sio-gnet <command>", `Start with "sio-gnet serve" and open http://localhost:3000`, "--version"} {
		if !strings.Contains(stdout, text) {
			t.Errorf("it does not say %q:\n%s", text, stdout)
		}
	}
}
