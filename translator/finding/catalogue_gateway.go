package finding

var gateways = []Entry{}
