"""Reports as mail servers write them, about an invented mail; `{mark}` stands where its mark does."""

# A mark nobody made; tests that need a genuine one put it in its place.
MARK = "c" + "abcdefgh" * 4

MAIL_ITSELF = """\
Return-Path: <bounces+{mark}@mail.example.org>
Received: from petitions.example.org (petitions.example.org [192.0.2.10])
\tby mx.example.net (Postfix) with ESMTPS id 4XyZ
\tfor <connie.reed@example.net>; Sun, 3 May 2026 12:00:01 +0000 (UTC)
From: Readers' Common <desk@readers.example>
To: connie.reed@example.net
Subject: Open the library on Sundays
Message-ID: <{mark}@petitions.example.org>
Date: Sun, 03 May 2026 12:00:00 +0000
"""

POSTFIX = (
    """\
Return-Path: <>
X-Original-To: bounces+{mark}@mail.example.org
Delivered-To: bounces+{mark}@mail.example.org
Received: by mx.example.net (Postfix)
\tid 5E1F2; Sun,  3 May 2026 12:00:04 +0000 (UTC)
Date: Sun,  3 May 2026 12:00:04 +0000 (UTC)
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces+{mark}@mail.example.org
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4D3C1.1777809604/mx.example.net"
Message-Id: <20260503120004.5E1F2@mx.example.net>

This is a MIME-encapsulated message.

--4D3C1.1777809604/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<connie.reed@example.net>: host mail.example.net[192.0.2.25] said: {words}
    (in reply to RCPT TO command)

--4D3C1.1777809604/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 5E1F2
X-Postfix-Sender: rfc822; bounces+{mark}@mail.example.org
Arrival-Date: Sun,  3 May 2026 12:00:01 +0000 (UTC)

Final-Recipient: rfc822; connie.reed@example.net
Original-Recipient: rfc822;connie.reed@example.net
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.net
Diagnostic-Code: smtp; {words}

--4D3C1.1777809604/mx.example.net
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

"""
    + MAIL_ITSELF
    + "\n--4D3C1.1777809604/mx.example.net--\n"
)

# Exim before version 4.87 had no form for it.
EXIM = (
    """\
Return-path: <>
Envelope-to: bounces+{mark}@mail.example.org
Delivery-date: Sun, 03 May 2026 13:00:05 +0100
X-Failed-Recipients: connie.reed@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@smart.example.net>
To: bounces+{mark}@mail.example.org
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1aBcDe-0001Zz-QQ@smart.example.net>
Date: Sun, 03 May 2026 13:00:05 +0100

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  connie.reed@example.net
    {words}

------ This is a copy of the message, including all the headers. ------

"""
    + MAIL_ITSELF
    + "\nSpam filters would find 550 reasons to reject this letter.\n"
)

EXIM_WARNING = EXIM.replace(
    "Mail delivery failed: returning message to sender", "Warning: message 1aBcDe delayed 24 hours"
)

EXCHANGE = (
    """\
From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>
To: <bounces+{mark}@mail.example.org>
Date: Sun, 3 May 2026 12:00:07 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="38c4c0a2-4a1a-4d0f-a0f5-6b4b0b2e8e21"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <f2f9a2b4-7f3e-4a35-9f52-0d3bb0a5a7bd@EX01.example.com>
Subject: Undeliverable: Open the library on Sundays
Auto-Submitted: auto-replied
MIME-Version: 1.0

--38c4c0a2-4a1a-4d0f-a0f5-6b4b0b2e8e21
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="7b0f9ce3-31cf-4e2b-9f46-a31c0b8eb6f4"

--7b0f9ce3-31cf-4e2b-9f46-a31c0b8eb6f4
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Delivery has failed to these recipients or groups:

connie.reed@example.com<mailto:connie.reed@example.com>
The email address you entered couldn't be found.

--7b0f9ce3-31cf-4e2b-9f46-a31c0b8eb6f4
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><body><b>Delivery has failed to these recipients or groups:</b></body></html>

--7b0f9ce3-31cf-4e2b-9f46-a31c0b8eb6f4--

--38c4c0a2-4a1a-4d0f-a0f5-6b4b0b2e8e21
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.example.com
Received-From-MTA: dns;petitions.example.org
Arrival-Date: Sun, 3 May 2026 12:00:06 +0000

Original-Recipient: rfc822;connie.reed@example.com
Final-Recipient: rfc822;connie.reed@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient connie.reed@example.com not found by SMTP address lookup

--38c4c0a2-4a1a-4d0f-a0f5-6b4b0b2e8e21
Content-Type: message/rfc822

"""
    + MAIL_ITSELF
    + "\nDear Connie,\n\n--38c4c0a2-4a1a-4d0f-a0f5-6b4b0b2e8e21--\n"
)

# Gmail folds the server's words over several lines, and sets the boundary without quotation marks.
GMAIL = (
    """\
Delivered-To: bounces+{mark}@mail.example.org
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>
To: bounces+{mark}@mail.example.org
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <{mark}@petitions.example.org>
In-Reply-To: <{mark}@petitions.example.org>
X-Failed-Recipients: connie.reed@example.com
Message-ID: <66361a04.050a0220.b4c3e.6b7f.GMR@mail.example.com>
Date: Sun, 03 May 2026 05:00:04 -0700 (PDT)
Content-Type: multipart/report; boundary=000000000000a7c0ff0617a1b2c3; report-type=delivery-status

--000000000000a7c0ff0617a1b2c3
Content-Type: multipart/related; boundary=000000000000a7d2c30617a1b2d4

--000000000000a7d2c30617a1b2d4
Content-Type: text/plain; charset=UTF-8

** Address not found **

Your message wasn't delivered to connie.reed@example.com because the address couldn't be found, or is unable to receive mail.

--000000000000a7d2c30617a1b2d4--
--000000000000a7c0ff0617a1b2c3
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
Arrival-Date: Sun, 03 May 2026 05:00:03 -0700 (PDT)
X-Original-Message-ID: <{mark}@petitions.example.org>

Final-Recipient: rfc822; connie.reed@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com. (192.0.2.26, the server for the domain example.com.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces. af79cd13be357-7a0 - gsmtp
Last-Attempt-Date: Sun, 03 May 2026 05:00:04 -0700 (PDT)

--000000000000a7c0ff0617a1b2c3
Content-Type: message/rfc822

"""
    + MAIL_ITSELF
    + "\nDear Connie,\n\n--000000000000a7c0ff0617a1b2c3--\n"
)

# What a mail provider sends where it takes part in a feedback loop; whom it went to is blackened.
COMPLAINT = """\
From: <feedback@fbl.example.net>
Date: Mon, 04 May 2026 08:00:00 +0000
Subject: FW: Open the library on Sundays
To: <abuse@readers.example>
Message-ID: <arf-1@fbl.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
     boundary="part1_13d.2e68ed54_boundary"

--part1_13d.2e68ed54_boundary
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received from IP
192.0.2.10 on Sun, 03 May 2026 12:00:00 +0000.

--part1_13d.2e68ed54_boundary
Content-Type: message/feedback-report

Feedback-Type: {sort}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <bounces+redacted@mail.example.org>
Received-Date: Sun, 03 May 2026 12:00:00 +0000
Source-IP: 192.0.2.10
Reported-Domain: readers.example

--part1_13d.2e68ed54_boundary
Content-Type: message/rfc822
Content-Disposition: inline

From: Readers' Common <desk@readers.example>
Received: from petitions.example.org by mx.example.net; Sun, 03 May 2026 12:00:00 +0000
To: <redacted@example.net>
Subject: Open the library on Sundays
Message-ID: <{mark}@petitions.example.org>

Dear Connie,

--part1_13d.2e68ed54_boundary--
"""

OUT_OF_OFFICE = """\
Return-Path: <>
From: Connie Reed <connie.reed@example.net>
To: bounces+{mark}@mail.example.org
Subject: Out of office: Open the library on Sundays
In-Reply-To: <{mark}@petitions.example.org>
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Precedence: bulk
Message-ID: <ooo-1@example.net>
Content-Type: text/plain; charset=utf-8

I am away until 11 May. In urgent cases call extension 550 1. I may fail to answer.
"""

ANSWER = """\
From: Connie Reed <connie.reed@example.net>
To: bounces+{mark}@mail.example.org
Subject: Re: Open the library on Sundays
References: <{mark}@petitions.example.org>
Message-ID: <answer-1@example.net>
Content-Type: text/plain; charset=utf-8

My brother says that mail to him failed: 550 5.1.1 user unknown. Can you help?
"""

READ_RECEIPT = """\
From: Connie Reed <connie.reed@example.net>
To: bounces+{mark}@mail.example.org
Subject: Read: Open the library on Sundays
Message-ID: <read-1@example.net>
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn"

--mdn
Content-Type: text/plain

The mail was read.
--mdn
Content-Type: message/disposition-notification

Final-Recipient: rfc822;connie.reed@example.net
Original-Message-ID: <{mark}@petitions.example.org>
Disposition: manual-action/MDN-sent-manually; displayed
--mdn--
"""

NO_SUCH_USER = (
    "550 5.1.1 <connie.reed@example.net>: Recipient address rejected: User unknown in virtual mailbox table"
)


def filled(sample: str, *, mark: str = MARK, **values: str) -> bytes:
    """With the line ends of mail, and the words of an address that is not known unless others are given."""
    values = {"words": NO_SUCH_USER, "action": "failed", "status": "5.1.1", "sort": "abuse"} | values
    text = sample.replace("{mark}", mark)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text.replace("\n", "\r\n").encode()
