package sandbox

import (
	"os"
	"syscall"
	"time"
)

// expire kills a process that has used up its time. The timer may have fired
// while the invocation that it was set for ended and another one began.
func (s *Sandbox) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now() //nolint:forbidigo // timeouts are on the wall clock
	if s.current != nil && !now.Before(s.current.until) {
		s.current.timedOut = true
		s.kill()
	}
}

// wait reaps the process and ends what was under way in it.
func (s *Sandbox) wait() {
	err := s.cmd.Wait()
	s.mu.Lock()
	s.kill() // what the process started and left behind
	s.dead = true
	s.timer.Stop()
	_ = s.listen.Close()
	for c := range s.conns {
		_ = c.net.Close()
	}
	inv, initError := s.current, s.initError
	s.current = nil
	s.mu.Unlock()
	log := s.logs.take()
	s.logs.close()
	_ = os.RemoveAll(s.home)
	if inv != nil {
		out := inv.end(err, initError)
		out.Log, out.Dead = log, true
		inv.done(out)
	}
	if s.config.Exited != nil {
		s.config.Exited()
	}
	close(s.gone)
}

// end is the outcome of an invocation whose process has gone.
func (inv *invocation) end(exit error, initError []byte) Outcome {
	switch {
	case inv.timedOut:
		return Outcome{Failed: true, Payload: timeoutError(inv.ID, inv.Timeout)}
	case inv.answered && inv.answer.Failed:
		// A panicking Go function reports the panic and then exits.
		return inv.answer
	case !inv.sent && initError != nil:
		return Outcome{Failed: true, Payload: initError}
	case exit == nil:
		return Outcome{Failed: true, Payload: exitError(inv.ID, "Runtime exited without providing a reason")}
	default:
		return Outcome{Failed: true, Payload: exitError(inv.ID, "Runtime exited with error: "+exit.Error())}
	}
}

// kill kills the process and everything it started. Errors mean that nothing
// is left to kill.
func (s *Sandbox) kill() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }
