// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

#ifndef WAXWING_CUNBOUND_SHIM_H
#define WAXWING_CUNBOUND_SHIM_H

// The thread that waits on libunbound is woken through an eventfd, which Glibc's module leaves out.
#include <sys/eventfd.h>
#include <unbound.h>

#endif
