// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

#ifndef WAXWING_CLDNS_SHIM_H
#define WAXWING_CLDNS_SHIM_H

#include <ldns/ldns.h>

#endif
