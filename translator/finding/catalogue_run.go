package finding

// Codes CL05xx (data plane) and CL06xx (running on a laptop). Their findings are made by the core and by cmd.

var runs = []Entry{}
