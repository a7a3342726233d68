package wire

// Input returns a new, empty Input of an operation, or nil if there is no such
// service or operation here. It is for those who know what they will call only
// by its name.
func (m *Mux) Input(service, operation string) any {
	s := m.service(service)
	if s == nil {
		return nil
	}
	op := s.operation(operation)
	if op == nil {
		return nil
	}
	return op.Input()
}
