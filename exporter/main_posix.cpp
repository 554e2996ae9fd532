#include "exporter/main.h"

int main(int argc, char** argv) { return kmem::program(argc, argv); }
