package finding

var routes = []Entry{}
