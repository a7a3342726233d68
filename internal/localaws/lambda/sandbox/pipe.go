package sandbox

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

const (
	// keepLog is how much of what a process writes is kept between two
	// outcomes. AWS keeps everything; here a function that writes without end
	// must not use up the memory of the machine.
	keepLog = 256 << 10
	// readLog is how much is read at a time; a Linux pipe holds 64 KiB.
	readLog = 64 << 10
)

// pipe collects what a process writes to stdout and stderr. Whoever needs to
// know what has been written up to now takes it synchronously: a process
// writes its lines before it posts its answer, so nothing comes late.
type pipe struct {
	file *os.File
	raw  syscall.RawConn

	mu  sync.Mutex
	buf []byte
	log []byte
}

// newPipe returns the reading side, and the writing side for the process.
func newPipe() (*pipe, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, r.Close(), w.Close())
	}
	p := &pipe{file: r, raw: raw, buf: make([]byte, readLog)}
	go p.follow()
	return p, w, nil
}

// follow reads whatever comes, so that the process never blocks on a full pipe.
func (p *pipe) follow() {
	for {
		open := false
		err := p.raw.Read(func(fd uintptr) bool {
			n, err := p.read(fd)
			open = n > 0
			return !errors.Is(err, syscall.EAGAIN)
		})
		if err != nil || !open {
			return
		}
	}
}

// read reads once, without waiting.
func (p *pipe) read(fd uintptr) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := syscall.Read(int(fd), p.buf)
	if n > 0 {
		p.log = append(p.log, p.buf[:n]...)
		if extra := len(p.log) - keepLog; extra > 0 {
			p.log = append(p.log[:0], p.log[extra:]...)
		}
	}
	return n, err
}

// take returns all that has been written since the last take.
func (p *pipe) take() []byte {
	_ = p.raw.Control(func(fd uintptr) {
		for {
			if n, _ := p.read(fd); n <= 0 {
				return
			}
		}
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.log
	p.log = nil
	return out
}

// close ends the reading side.
func (p *pipe) close() { _ = p.file.Close() }
