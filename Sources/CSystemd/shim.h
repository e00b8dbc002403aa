// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

#ifndef WAXWING_CSYSTEMD_SHIM_H
#define WAXWING_CSYSTEMD_SHIM_H

#include <systemd/sd-daemon.h>

#endif
