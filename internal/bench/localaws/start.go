package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long a server may take to start: many times what it needs.
const patience = time.Minute

// server is a running server.
type server struct {
	url   string
	ready time.Duration // from its start to its first answer
	cmd   *exec.Cmd
}

func (s server) stop() {
	_ = s.cmd.Process.Kill() // it has nothing to lose
	_ = s.cmd.Wait()
}

// memory is what the server holds, in MB.
func (s server) memory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			return n / 1024, err
		}
	}
	return 0, errors.New("read memory: no VmRSS")
}

// startOurs starts "pullback local up" and waits for its first line.
func startOurs(ctx context.Context, program string) (server, error) {
	began := time.Now() //nolint:forbidigo // it is the wall clock that is measured
	cmd := exec.CommandContext(ctx, program, "local", "up", "--listen", "127.0.0.1:0", "--clock", "manual")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return server{}, fmt.Errorf("start %s: %w", program, err)
	}
	if err := cmd.Start(); err != nil {
		return server{}, fmt.Errorf("start %s (make build): %w", program, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	s := server{cmd: cmd, url: strings.TrimSpace(strings.TrimPrefix(line, "ready "))}
	if err == nil {
		err = answers(ctx, s.url+"/_local/clock")
	}
	if err != nil {
		s.stop()
		return server{}, fmt.Errorf("start %s: %w", program, err)
	}
	s.ready = time.Since(began) //nolint:forbidigo // the same
	return s, nil
}

// startMoto starts moto's server and waits for its first answer.
func startMoto(ctx context.Context) (server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return server{}, fmt.Errorf("find a port: %w", err)
	}
	address := l.Addr().String()
	_ = l.Close() // only its number is of use
	_, port, _ := net.SplitHostPort(address)
	began := time.Now() //nolint:forbidigo // it is the wall clock that is measured
	// The interpreter itself: a wrapper's process would be measured instead.
	cmd := exec.CommandContext(ctx, "python3", "-c", "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', '"+port+"'])") //nolint:gosec // our own text
	if err := cmd.Start(); err != nil {
		return server{}, fmt.Errorf("start moto: %w", err)
	}
	s := server{cmd: cmd, url: "http://" + address}
	for {
		if err = answers(ctx, s.url+"/moto-api/"); err == nil {
			s.ready = time.Since(began) //nolint:forbidigo // the same
			return s, nil
		}
		if time.Since(began) > patience { //nolint:forbidigo // the same
			s.stop()
			return server{}, fmt.Errorf("start moto: %w", err)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return server{}, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func answers(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// starts measures start and memory, ours and moto's taking turns.
func starts(ctx context.Context, c choices, out *bytes.Buffer) error {
	var ours, theirs []time.Duration
	var held, heldByMoto []float64
	for range c.starts {
		s, err := startOurs(ctx, c.pullback)
		if err != nil {
			return err
		}
		ours, held = append(ours, s.ready), append(held, must(s.memory()))
		s.stop()
		if !moto() {
			continue
		}
		if s, err = startMoto(ctx); err != nil {
			return err
		}
		theirs, heldByMoto = append(theirs, s.ready), append(heldByMoto, must(s.memory()))
		s.stop()
	}
	fmt.Fprintf(out, "start to first answer, median of %d   %s   %.0f MB\n", c.starts, ms(middle(ours)), middle(held))
	if moto() {
		fmt.Fprintf(out, "  moto's server                       %s   %.0f MB   (%.0fx, %.1fx)\n", ms(middle(theirs)), middle(heldByMoto),
			float64(middle(theirs))/float64(middle(ours)), middle(heldByMoto)/middle(held))
	} else {
		fmt.Fprintln(out, "  moto's server is not installed here")
	}
	return nil
}

func must(n float64, err error) float64 {
	if err != nil {
		return 0 // no /proc here: 0 MB is plainly no measurement
	}
	return n
}

func middle[T int64 | float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%7.1f ms", float64(d.Microseconds())/1000) }
